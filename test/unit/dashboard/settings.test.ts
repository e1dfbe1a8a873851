import { describe, expect, it } from 'vitest';
import { HELP, parseSettings, type Settings } from '../../../dashboard/settings.ts';
import { TOP_TEAMS_JSON } from './fixtures.ts';

const COMPLETE = {
  KAFKA_BOOTSTRAP_SERVERS: 'one:9092, [::1]:9093',
  DASHBOARD_BOARDS: JSON.stringify([TOP_TEAMS_JSON]),
  STATS_TOPIC: 'arcade-pipeline-stats',
  JOB_GROUPS: 'arcade.flink,arcade.flink-stats',
  EVENTS_TOPIC: 'arcade-user-score',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  const parsed = parseSettings({ ...COMPLETE, ...env });
  return 'problems' in parsed ? parsed.problems : [];
}

function settingsOf(env: Record<string, string> = {}): Settings {
  const parsed = parseSettings({ ...COMPLETE, ...env });
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.settings;
}

const boards = (...changes: object[]) =>
  JSON.stringify(changes.map((change, index) => ({ ...TOP_TEAMS_JSON, name: `board-${index}`, ...change })));

describe('the settings', () => {
  it('have defaults for everything but Kafka and the boards, also where a variable is empty', () => {
    const settings = settingsOf({ PORT: '', UNRELATED: 'x' });
    expect(settings).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 8080,
      LOG_LEVEL: 'info',
      DASHBOARD_TITLE: 'Game Analytics',
    });
    expect(settings.KAFKA_BOOTSTRAP_SERVERS).toEqual(['one:9092', '[::1]:9093']);
    expect(settings.DASHBOARD_BOARDS[0]?.columns[1]?.type).toBe('integer');
  });

  it('report every problem at once, each with its variable', () => {
    const problems = problemsOf({
      KAFKA_BOOTSTRAP_SERVERS: 'kafka',
      DASHBOARD_BOARDS: '',
      STATS_TOPIC: '',
      JOB_GROUPS: ' , ',
      EVENTS_TOPIC: 'a/b',
      PORT: '99999',
      LOG_LEVEL: 'loud',
    });
    const variables = problems.map((problem) => problem.split(/[:[]/)[0]).sort();
    expect(variables).toEqual([
      'DASHBOARD_BOARDS',
      'EVENTS_TOPIC',
      'JOB_GROUPS',
      'KAFKA_BOOTSTRAP_SERVERS',
      'LOG_LEVEL',
      'PORT',
      'STATS_TOPIC',
    ]);
  });

  it('name the path inside the boards', () => {
    const problems = problemsOf({
      DASHBOARD_BOARDS: boards({ size: 0 }, { columns: [{ name: 'a', label: 'A', type: 'date' }] }),
    });
    expect(problems).toContainEqual(expect.stringMatching(/^DASHBOARD_BOARDS\[0\]\.size: /));
    expect(problems).toContainEqual(expect.stringMatching(/^DASHBOARD_BOARDS\[1\]\.columns\[0\]\.type: /));
  });

  it('know the topic of a history, and that a board can be without one', () => {
    const DASHBOARD_BOARDS = boards({ historyTopic: 'arcade-top-teams-history' }, {});
    const histories = settingsOf({ DASHBOARD_BOARDS }).DASHBOARD_BOARDS.map(
      ({ historyTopic }) => historyTopic,
    );
    expect(histories).toEqual(['arcade-top-teams-history', undefined]);
  });

  it.each([
    ['boards that are no JSON', '[{', 'DASHBOARD_BOARDS: must be a JSON array of boards'],
    ['no board at all', '[]', 'DASHBOARD_BOARDS: '],
    [
      'two boards of one name',
      boards({ name: 'x' }, { name: 'x' }),
      'DASHBOARD_BOARDS[1].name: is the name of another',
    ],
    [
      'a history in no topic',
      boards({ historyTopic: 'a/b' }),
      'DASHBOARD_BOARDS[0].historyTopic: must be the name of a Kafka topic',
    ],
    [
      'a board of people whose pair is another one’s',
      boards({}, { peopleOf: 'board-0' }, { peopleOf: 'board-0' }),
      'DASHBOARD_BOARDS[2].peopleOf: must be the name of a board with robots',
    ],
    [
      'a board of people without its pair',
      boards({ peopleOf: 'board-9' }),
      'DASHBOARD_BOARDS[0].peopleOf: must be the name of a board with robots',
    ],
    [
      'a strip over text',
      boards({ strip: { recent: 'total_score', usual: 'team_name', label: 'a' } }),
      'DASHBOARD_BOARDS[0].strip: must be one of the numeric',
    ],
    ['a bar over text', boards({ bar: 'team_name' }), 'DASHBOARD_BOARDS[0].bar: must be one of the numeric'],
    [
      'a name that breaks out of ids',
      boards({ name: 'a"b' }),
      'DASHBOARD_BOARDS[0].name: must be lower case',
    ],
  ])('refuse %s', (_, text, problem) => {
    expect(problemsOf({ DASHBOARD_BOARDS: text })).toContainEqual(expect.stringContaining(problem));
  });
});

describe('the settings of the web side', () => {
  it('have defaults: at the root, open, and trusting nobody', () => {
    expect(settingsOf()).toMatchObject({
      BASE_PATH: '',
      MAX_SOCKETS: 5000,
      TRUSTED_PROXIES: [],
      ALLOWED_ORIGINS: [],
    });
    expect(settingsOf({ BASE_PATH: '/' }).BASE_PATH).toBe('');
    expect(settingsOf({ BASE_PATH: '/games/arcade/' }).BASE_PATH).toBe('/games/arcade');
    const TRUSTED_PROXIES = '10.0.0.0/8, 192.0.2.1,fd00::/8';
    expect(settingsOf({ TRUSTED_PROXIES }).TRUSTED_PROXIES).toHaveLength(3);
    const ALLOWED_ORIGINS = 'https://Games.example, http://[::1]:8080';
    expect(settingsOf({ ALLOWED_ORIGINS }).ALLOWED_ORIGINS).toEqual([
      'https://games.example',
      'http://[::1]:8080',
    ]);
  });

  it.each([
    ['BASE_PATH', 'games'],
    ['BASE_PATH', '/a/../b'],
    ['BASE_PATH', '/metrics'],
    ['MAX_SOCKETS', '0'],
    ['TRUSTED_PROXIES', 'everyone'],
    ['ALLOWED_ORIGINS', 'games.example'],
    ['ALLOWED_ORIGINS', 'https://games.example/'],
    ['ALLOWED_ORIGINS', 'null'],
    ['ALLOWED_ORIGINS', '*'],
  ])('refuse the %s %s', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toContainEqual(expect.stringMatching(`^${variable}`));
  });
});

it('--help lists every setting with what it may be', () => {
  for (const name of [...Object.keys(COMPLETE), 'BASE_PATH', 'TRUSTED_PROXIES', 'PORT', 'LOG_LEVEL'])
    expect(HELP).toMatch(
      new RegExp(`^  ${name}\\n      \\S.*; .*\\((default: .+|required|optional)\\)$`, 'm'),
    );
});
