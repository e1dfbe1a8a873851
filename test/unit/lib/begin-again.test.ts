import { pino } from 'pino';
import { expect, it } from 'vitest';
import { beginAgain } from '../../../lib/begin-again.ts';

const log = pino({ level: 'silent' });

it('begins again after each failure, says which, and ends with the signal', async () => {
  const stop = new AbortController();
  const state: { problem: string | undefined } = { problem: 'not begun' };
  const seen: (string | undefined)[] = [];
  const act = async () => {
    seen.push(state.problem);
    if (seen.length === 1) {
      state.problem = undefined;
      throw new Error('it broke');
    }
    stop.abort();
    throw new Error('the signal’s');
  };
  await beginAgain(act, state, log, stop.signal);
  expect(seen).toEqual(['not begun', 'it broke']);
  expect(state.problem).toBe('it broke');
});
