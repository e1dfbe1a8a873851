/** What a run asks for: to be run again after this time, or (undefined) only when something changes. */
export type Result = { requeueAfterMillis?: number | undefined } | undefined;

/**
 * Trying again cannot fix this, only a change can; the message says which. The key is not run again until it
 * is added.
 */
export class TerminalError extends Error {
  override name = 'TerminalError';
}
