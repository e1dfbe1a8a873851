import { describe, expect, it } from 'vitest';
import { HELP, parseSettings } from '../../../history/settings.ts';

const BOARD = { topic: 'arcade-top', historyTopic: 'arcade-top-history', player: 'user_id' };
const GOOD = {
  KAFKA_BOOTSTRAP_SERVERS: 'games-kafka-bootstrap:9092',
  HISTORY_BOARDS: JSON.stringify([BOARD]),
};

describe('parseSettings', () => {
  it('reads them and fills in what may be left out', () => {
    expect(parseSettings(GOOD)).toEqual({
      settings: {
        KAFKA_BOOTSTRAP_SERVERS: ['games-kafka-bootstrap:9092'],
        HISTORY_BOARDS: [BOARD],
        HOST: '127.0.0.1',
        PORT: 8083,
        LOG_LEVEL: 'info',
      },
    });
  });

  it('names everything that is missing or wrong', () => {
    const problems = (env: Record<string, string>) => {
      const parsed = parseSettings(env);
      return 'problems' in parsed ? parsed.problems.map((line) => line.split(':')[0]) : [];
    };
    expect(problems({})).toEqual(Object.keys(GOOD));
    expect(problems({ ...GOOD, HISTORY_BOARDS: '[]' })).toEqual(['HISTORY_BOARDS']);
    expect(problems({ ...GOOD, HISTORY_BOARDS: '[{"topic":"a"}]', PLAYERS_TOPIC: 'a b' })).toEqual([
      'HISTORY_BOARDS[0].historyTopic',
      'PLAYERS_TOPIC',
    ]);
  });

  it('has all of them in its help', () => {
    for (const name of [...Object.keys(GOOD), 'PLAYERS_TOPIC', 'PORT']) expect(HELP).toContain(name);
  });
});
