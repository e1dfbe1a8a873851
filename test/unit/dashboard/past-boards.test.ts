import { expect, it } from 'vitest';
import { type History, PastBoards } from '../../../dashboard/web/past-boards.ts';
import { NOW } from './fixtures.ts';

/** Looks for the board of one history, and gives up at once. */
function impatient(history: History): PastBoards {
  const log = { warn: () => {} };
  return new PastBoards({ histories: new Map([['board', history]]), log, now: () => NOW, timeoutMillis: 1 });
}

it('a search that takes too long is given up and answered, even if it does not listen', async () => {
  let signal: AbortSignal | undefined;
  const past = impatient((_, given) => {
    signal = given;
    return new Promise(() => {});
  });
  expect(await past.answer('board', String(NOW))).toMatchObject({
    code: 503,
    error: 'finding it takes too long; try again',
    retryAfterSeconds: 5,
  });
  expect(signal?.aborted).toBe(true);
});

it('a search that was given up counts as one until it has ended', async () => {
  const gate = Promise.withResolvers<undefined>();
  const past = impatient(() => gate.promise);
  const ask = () => past.answer('board', String(NOW));
  await Promise.all([ask(), ask(), ask(), ask()]);
  expect(await ask()).toMatchObject({ code: 503, retryAfterSeconds: 1 });
  gate.resolve(undefined);
  await gate.promise;
  expect(await ask()).toMatchObject({ code: 404 });
});
