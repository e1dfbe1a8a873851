import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, gameanalytics, VALID } from './gameanalytics.ts';

const HIDING = VALID.replace('games }', 'games }, players: {}');

describe('gameanalytics players', () => {
  it.each([
    [
      'an action that there is not',
      HIDING,
      ['ban', 'ann'],
      2,
      "'ban' is not an action: there are hide, erase, show.",
    ],
    ['no player to hide', HIDING, ['hide'], 2, 'Name a player to hide.'],
    ['an id that no player has', HIDING, ['hide', 'a'.repeat(257)], 2, 'An id has from 1 to 256 characters'],
    ['a manifest without players', VALID, ['hide', 'ann'], 2, 'Add players: {} to it.'],
    [
      'an address that is none',
      HIDING,
      ['hide', 'ann', '--bootstrap', 'kafka'],
      2,
      '--bootstrap takes HOST:PORT',
    ],
    ['a pipeline that does not run', HIDING, [], 1, 'game does not run on this machine'],
    [
      'a Kafka that is away',
      HIDING,
      ['--bootstrap', '127.0.0.1:1'],
      1,
      'The Kafka at 127.0.0.1:1 does not answer',
    ],
  ])('with %s gets an error that says so', async (_, manifest, args, code, sentence) => {
    const path = folder({ 'game.yaml': manifest });
    const ended = await gameanalytics(['players', join(path, 'game.yaml'), ...args], path);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toContain(sentence);
    expect(ended.err).not.toMatch(/^\s+at /m);
  });
});
