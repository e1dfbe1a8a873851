import type { z } from 'zod';
import { eachCounter, eachReason, SLOT_START, statsKey, statsValue } from '../../contract/stats.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';

/** What went through the pipeline in one slot of Kafka's time. All times are epoch milliseconds. */
export type Slot = { startMillis: number } & z.output<typeof statsValue>;

/** The counts of a slot in which nothing happened. */
export const NO_EVENTS: Omit<Slot, 'startMillis'> = {
  ...eachCounter(() => 0),
  reasons: eachReason(() => 0),
  examples: eachReason(() => undefined),
  newestEventMillis: undefined,
  uncountedReason: undefined,
};

/**
 * Reads one record of the topic of counts.
 *
 * @returns the slot with its counts so far, or none when it was taken back; undefined when the record is
 * malformed
 */
export function parseSlot({ key, value }: KafkaRecord): { startMillis: number; slot?: Slot } | undefined {
  const position = statsKey.safeParse(parseJson(key));
  if (!position.success) return undefined;
  const startMillis = position.data[SLOT_START];
  if (value === null) return { startMillis };
  const counts = statsValue.safeParse(parseJson(value));
  return counts.success ? { startMillis, slot: { startMillis, ...counts.data } } : undefined;
}

function parseJson(json: Buffer | null): unknown {
  try {
    return json && JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}
