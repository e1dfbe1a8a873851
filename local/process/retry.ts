import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until the answer is not undefined. An error of the question ends it, and so does the signal,
 * with its reason.
 */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  { everyMillis, signal }: { everyMillis: number; signal: AbortSignal },
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(everyMillis, undefined, { signal });
  }
}
