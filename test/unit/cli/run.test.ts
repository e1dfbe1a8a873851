import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folder, gameanalytics, MALFORMED, VALID } from './gameanalytics.ts';

describe('gameanalytics run, before it starts anything', () => {
  it('refuses a malformed manifest', async () => {
    const cwd = folder({ 'game.yaml': MALFORMED });
    const { code, out, err } = await gameanalytics(['run', 'game.yaml'], cwd);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('spec.leaderboards[0].size: expected number, not "none"');
    expect(readdirSync(cwd)).toEqual(['game.yaml']);
  });

  it.each([
    ['--dashboard-port', 'http'],
    ['--dashboard-port', '70000'],
    ['--dashboard-port', '-1'],
    ['--flink-port', '0x50'],
    ['--kafka-port', ''],
  ])('refuses %s=%s', async (option, port) => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, out, err } = await gameanalytics(['run', 'game.yaml', `${option}=${port}`], cwd);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(`${option} takes a port from 1 to 65535, not '${port}'\n`);
    expect(readdirSync(cwd)).toEqual(['game.yaml']);
  });

  it('refuses a paused manifest', async () => {
    const cwd = folder({ 'game.yaml': VALID.replace('games }', 'games }, paused: true') });
    const { code, err } = await gameanalytics(['run', 'game.yaml'], cwd);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'game.yaml says paused: true. Set it to false to run it.\n',
    });
    expect(readdirSync(cwd)).toEqual(['game.yaml']);
  });
});
