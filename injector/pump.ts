import type { ScheduledEvent } from './event.ts';
import type { Pacer } from './pacer.ts';

/** At high rates events are gathered for this long; nothing is late by more. */
const TICK_MILLIS = 20;
/** Larger batches are no faster: kafkajs copies a batch once per message while it sorts it by partition. */
const MAX_BATCH = 1000;

export interface PumpOptions {
  readonly pacer: Pacer;
  /** Resolves when all is acknowledged. */
  send(events: readonly ScheduledEvent[]): Promise<void>;
  now(): number;
  /** Resolves after that time, or when the pump is to stop. */
  sleep(millis: number): Promise<void>;
  readonly stop: AbortSignal;
}

/**
 * Moves events from the game to Kafka until told to stop, and returns when the last batch it took is
 * acknowledged. While a batch is under way the game stands still, so memory is bounded by one batch.
 */
export async function pump({ pacer, send, now, sleep, stop }: PumpOptions): Promise<void> {
  while (!stop.aborted) {
    const events = pacer.due(now(), MAX_BATCH);
    if (events.length > 0) await send(events);
    if (events.length < MAX_BATCH) await sleep(Math.max(TICK_MILLIS, pacer.aheadMillis(now())));
  }
}
