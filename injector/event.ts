import type { EventFields } from '../contract/event.ts';

/** What a player did, as it is written to the topic: what the job reads, and two fields for people. */
export type GameEvent = EventFields & {
  /** When it happened, in UTC: "2026-11-22 19:32:00.123". */
  readonly readable_time: string;
  /** "late": it reaches Kafka long after it happened. */
  readonly event_type: 'normal' | 'late';
};

/** An event and the moment, in epoch milliseconds (with a fraction), at which it goes to Kafka. */
export interface ScheduledEvent {
  readonly at: number;
  readonly event: GameEvent;
}

/** Epoch milliseconds as "2026-11-22 19:32:00.123", UTC. */
export function readableTime(millis: number): string {
  const iso = new Date(millis).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}
