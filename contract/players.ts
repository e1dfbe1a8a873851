import { type EventField, LONGEST_TEXT } from './event.ts';

/*
 * The topic of players that are not to be shown, which any producer may write: the key is a player's id as
 * plain text, and the newest record of a key decides. Readers of boards leave these players out; the job does
 * not read the topic, and counts everyone.
 */

/** The column of a board's rows that says whose they are. */
export const USER_ID: EventField = 'user_id';

/** A hidden player is on no board; of one that is erased, nothing is to be kept at all. */
export type PlayerState = 'hidden' | 'erased';

/** With null for its value, a player is shown. */
export interface PlayerRecord {
  key: string;
  value: string | null;
}

/** Whether a player can have that id. */
export function isPlayerId(id: string): boolean {
  return id !== '' && Array.from(id).length <= LONGEST_TEXT;
}

/** The record that gives a player a state. */
export function playerRecord(id: string, state: PlayerState | undefined): PlayerRecord {
  return { key: id, value: state ? JSON.stringify({ [state]: true }) : null };
}

type Text = { toString(): string } | null | undefined;

/** The players that are hidden or erased, by the records of their topic. */
export class Players {
  readonly #states = new Map<string, PlayerState>();
  #revision = 0;

  /** Grows with every record. */
  get revision(): number {
    return this.#revision;
  }

  get states(): ReadonlyMap<string, PlayerState> {
    return this.#states;
  }

  /**
   * Takes in one record. A value that is malformed is as if there were none: it hides nobody.
   *
   * @param key the player's id; both are text, or its bytes
   */
  apply(key: Text, value: Text): void {
    if (key === null || key === undefined) return;
    const id = key.toString();
    this.#revision += 1;
    const state = parsePlayerState(value?.toString());
    if (state) this.#states.set(id, state);
    else this.#states.delete(id);
  }

  /** @param id a row's, of whatever type it is there */
  isHidden(id: unknown): boolean {
    return this.#states.has(String(id));
  }
}

/** The state of a player by the value of its newest record; undefined: it is shown. */
export function parsePlayerState(value: string | undefined): PlayerState | undefined {
  try {
    const record: unknown = JSON.parse(value ?? 'null');
    if (typeof record !== 'object' || record === null || Array.isArray(record)) return undefined;
    const states: PlayerState[] = ['erased', 'hidden'];
    return states.find((state) => (record as Record<string, unknown>)[state] === true);
  } catch {
    return undefined;
  }
}
