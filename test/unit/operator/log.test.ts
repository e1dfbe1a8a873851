import { describe, expect, it } from 'vitest';
import { resourceLog } from '../../../operator/log.ts';
import { keptLog } from './observed.ts';

describe('resourceLog', () => {
  it('puts the resource on every line', () => {
    const { log, lines } = keptLog();
    resourceLog(log, 'games/arcade').info({ retryMillis: 5 }, 'hello');
    expect(lines).toEqual([{ level: 30, namespace: 'games', name: 'arcade', retryMillis: 5, msg: 'hello' }]);
  });
});
