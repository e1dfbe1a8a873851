import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

/** A process that reports a stop signal, and never stops. */
const STUBBORN = `
  import { stopOnSignals } from '${resolve('lib/stop-signal.ts')}';
  stopOnSignals().addEventListener('abort', () => process.stdout.write('stopping'));
  setInterval(() => {}, 1000);
  process.stdout.write('started');
`;

describe('stopOnSignals', () => {
  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGHUP', 'SIGINT'],
  ] as const)(
    'aborts with the first signal (%s) and ends the process with the second (%s)',
    async (first, second) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', STUBBORN]);
      onTestFinished(() => {
        child.kill('SIGKILL');
      });
      const ended = once(child, 'exit');
      expect(String(await once(child.stdout, 'data'))).toBe('started');
      child.kill(first);
      expect(String(await once(child.stdout, 'data'))).toBe('stopping');
      child.kill(second);
      expect(await ended).toEqual([1, null]);
    },
  );
});
