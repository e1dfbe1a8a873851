import type { BoardView } from '../boards/board.ts';
import { INVALID_TIMESTAMP, parseTimestamp } from './timestamp.ts';

/*
 * Boards as they were shown. Each answer costs reading a topic, so only a few are looked for at a
 * time, and none for long.
 */

/** Finds a board as it was shown, if it is kept. */
export type History = (atMillis: number, signal: AbortSignal) => Promise<BoardView | undefined>;

/** A board of the past, or why there is none. */
export type PastAnswer =
  | { code: 200; atMillis: number; view: BoardView }
  | { code: 400 | 404 | 503; error: string; retryAfterSeconds?: number };

export interface PastOptions {
  /** By board's name; boards that keep no history have none. */
  histories: ReadonlyMap<string, History>;
  log: { warn(fields: object, message: string): void };
  /** Epoch milliseconds. */
  now: () => number;
  /** How long an answer may take. */
  timeoutMillis: number;
}

/** How many are looked for at once. */
const MAX_READINGS = 4;

export class PastBoards {
  readonly #options: PastOptions;
  #readings = 0;

  constructor(options: PastOptions) {
    this.#options = options;
  }

  /** True when the board of that name keeps its history. */
  has(name: string): boolean {
    return this.#options.histories.has(name);
  }

  /** @param at the moment, as the query has it */
  async answer(name: string, at: unknown): Promise<PastAnswer> {
    const { histories, now } = this.#options;
    const history = histories.get(name);
    if (!history) return { code: 404, error: 'this board keeps no history' };
    const atMillis = parseTimestamp(at);
    if (atMillis === undefined) return { code: 400, error: INVALID_TIMESTAMP };
    if (atMillis > now()) return { code: 400, error: 'at is in the future' };
    if (this.#readings >= MAX_READINGS) {
      return { code: 503, error: 'too many look into the past just now; try again', retryAfterSeconds: 1 };
    }
    return this.#read(name, history, atMillis);
  }

  async #read(name: string, history: History, atMillis: number): Promise<PastAnswer> {
    const { timeoutMillis, log } = this.#options;
    const signal = AbortSignal.timeout(timeoutMillis);
    this.#readings += 1;
    const reading = history(atMillis, signal).finally(() => {
      this.#readings -= 1;
    });
    try {
      const view = await Promise.race([reading, aborted(signal)]);
      if (!view) return { code: 404, error: `nothing is kept of ${new Date(atMillis).toISOString()}` };
      return { code: 200, atMillis, view };
    } catch (error) {
      log.warn({ board: name, atMillis, reason: String(error) }, 'history cannot be read');
      const reason = signal.aborted ? 'finding it takes too long' : 'the history cannot be read just now';
      return { code: 503, error: `${reason}; try again`, retryAfterSeconds: 5 };
    }
  }
}

/** Rejects when the signal is aborted: connecting to a broker that is away does not listen to signals. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
