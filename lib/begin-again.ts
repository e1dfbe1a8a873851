import type { Logger } from 'pino';
import { Backoff } from './backoff.ts';
import { sleep } from './sleep.ts';

const RETRY_MILLIS = 1000;
const LONGEST_RETRY_MILLIS = 30_000;

/**
 * Does something until the signal, and after each failure again, with exponential backoff.
 *
 * @param state its problem is what failed; what is done sets it to undefined once it works
 */
export async function beginAgain(
  act: () => Promise<void>,
  state: { problem: string | undefined },
  log: Logger,
  stop: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(RETRY_MILLIS, LONGEST_RETRY_MILLIS, Math.random);
  while (!stop.aborted) {
    try {
      await act();
    } catch (error) {
      if (stop.aborted) break;
      // It had worked until now.
      if (state.problem === undefined) backoff.reset();
      state.problem = (error as Error).message;
      log.warn(`beginning again: ${state.problem}`);
      log.debug(error);
      await sleep(backoff.next(), stop);
    }
  }
}
