import { z } from 'zod';
import type { RawRecord } from '../boards/record.ts';

/** How long a slot is. */
export const SLOT_MILLIS = 5000;

/** What went through the pipeline in one slot of Kafka's time. All times are epoch milliseconds. */
export interface Slot {
  startMillis: number;
  events: number;
  lateEvents: number;
  robotEvents: number;
  uncountedEvents: number;
  undecodableMessages: number;
  activePlayers: number;
  activeTeams: number;
  newestEventMillis: number | null;
  /** Why the newest event that does not count does not. */
  uncountedReason: string | null;
}

/** The counts of a slot in which nothing happened. */
export const NO_EVENTS: Omit<Slot, 'startMillis'> = {
  events: 0,
  lateEvents: 0,
  robotEvents: 0,
  uncountedEvents: 0,
  undecodableMessages: 0,
  activePlayers: 0,
  activeTeams: 0,
  newestEventMillis: null,
  uncountedReason: null,
};

const slotKey = z.object({ slot_start: z.int().min(0).multipleOf(SLOT_MILLIS) });

// Messages and events are counted apart, so that their difference can be below zero until both have arrived.
const count = z.int().transform((value) => Math.max(value, 0));

const slotValue = z.object({
  events: count,
  late_events: count,
  robot_events: count,
  uncounted_events: count,
  undecodable_messages: count,
  active_players: count,
  active_teams: count,
  newest_event_time: z.int().min(0).max(8.64e15).nullable(),
  // Jobs of before it was there have none.
  uncounted_reason: z.string().max(200).nullish(),
});

/**
 * Reads one record of the topic of counts.
 *
 * @returns the slot with its counts so far, or without when it was taken back; null when the record is malformed
 */
export function parseSlot({ key, value }: RawRecord): { startMillis: number; slot: Slot | null } | null {
  const position = slotKey.safeParse(parseJson(key));
  if (!position.success) return null;
  const startMillis = position.data.slot_start;
  if (value === null) return { startMillis, slot: null };
  const counts = slotValue.safeParse(parseJson(value));
  if (!counts.success) return null;
  const { data } = counts;
  const slot = {
    startMillis,
    events: data.events,
    lateEvents: data.late_events,
    robotEvents: data.robot_events,
    uncountedEvents: data.uncounted_events,
    undecodableMessages: data.undecodable_messages,
    activePlayers: data.active_players,
    activeTeams: data.active_teams,
    newestEventMillis: data.newest_event_time,
    uncountedReason: data.uncounted_reason ?? null,
  };
  return { startMillis, slot };
}

function parseJson(json: Buffer | null): unknown {
  try {
    return json && JSON.parse(json.toString('utf8'));
  } catch {
    return null;
  }
}
