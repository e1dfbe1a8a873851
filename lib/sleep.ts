import { setTimeout } from 'node:timers/promises';

/** Resolves after the time, or as soon as the signal is aborted; never rejects. */
export async function sleep(millis: number, signal: AbortSignal): Promise<void> {
  await setTimeout(millis, undefined, { signal }).catch(() => {});
}
