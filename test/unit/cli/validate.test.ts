import { describe, expect, it } from 'vitest';
import { folder, gameanalytics, MALFORMED, VALID } from './gameanalytics.ts';

/** Lines of a stack trace, or the names of errors that only programmers know. */
const TRACE = /^\s+at |\b(Type|Reference|Range|Zod)Error\b/m;

describe('gameanalytics validate', () => {
  it('says that a manifest is valid, and which leaderboards it has', async () => {
    const { code, out, err } = await gameanalytics(['validate', 'examples/arcade.yaml']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      'examples/arcade.yaml is valid: arcade with the leaderboards top-teams, top-players, hot-streakers, team-mvps\n',
    );
  });

  it('says everything that is wrong with one, each with its path and what is allowed', async () => {
    const cwd = folder({ 'game.yaml': MALFORMED });
    expect(await gameanalytics(['validate', 'game.yaml'], cwd)).toEqual({
      code: 2,
      out: '',
      err: [
        'game.yaml is not a valid GameAnalytics (2 to fix):',
        '  spec.leaderboards[0].size: expected number, not "none"',
        '  spec.dashbord: is not a field; allowed here: kafka, events, leaderboards, timeZone, weekStart, flink, injector, dashboard, results, players, paused',
        '',
      ].join('\n'),
    });
  });

  it('checks every file it is given: some are valid, and it reports what is wrong with the others', async () => {
    const cwd = folder({ 'bad.yaml': MALFORMED, 'good.yaml': VALID });
    const { code, out, err } = await gameanalytics(
      ['validate', 'bad.yaml', 'good.yaml', 'missing.yaml'],
      cwd,
    );
    expect(code).toBe(2);
    expect(out).toMatch(/^good\.yaml is valid: game with the leaderboards .*\n$/);
    expect(err).toContain('bad.yaml is not a valid GameAnalytics (2 to fix):\n');
    expect(err).toContain('\nmissing.yaml cannot be read: ');
  });

  it('starts nothing to plan the SQL of when no manifest is valid', async () => {
    const cwd = folder({ 'game.yaml': MALFORMED });
    const { code, out, err } = await gameanalytics(['validate', '--sql', 'game.yaml'], cwd);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^game\.yaml is not a valid GameAnalytics \(2 to fix\):\n/);
  });

  it('says what it needs of a schema registry that does not answer, and starts nothing', async () => {
    const registry = 'http://127.0.0.1:1';
    const events = `{ format: avro-confluent, schemaRegistry: { url: '${registry}' } }`;
    const leaderboards = '[{ name: a, type: TopPlayers, by: country }]';
    const avro = `games }, events: ${events}, leaderboards: ${leaderboards}`;
    const cwd = folder({ 'game.yaml': VALID.replace('games }', avro) });
    const { code, out, err } = await gameanalytics(['validate', '--sql', 'game.yaml'], cwd);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(
      `events.columns is not set, which needs the schema registry ${registry}: connect ECONNREFUSED`,
    );
    expect(await gameanalytics(['validate', 'game.yaml'], cwd)).toMatchObject({ code: 0, err: '' });
  });

  const bomb = 'abcdefghi'
    .split('')
    .map((name, i, names) => `${name}: &${name} [${`*${names[i - 1]},`.repeat(9)}]`);
  it.each([
    ['not YAML', 'a: [1\nb: }', 'game.yaml is not valid YAML:\n'],
    ['a key twice', `${VALID}kind: GameAnalytics\n`, 'Map keys must be unique at line 6, column 1'],
    ['Latin-1', Buffer.from(VALID.replace('game }', 'gäme }'), 'latin1'), 'is not text in UTF-8'],
    ['UTF-16', Buffer.from(VALID, 'utf16le'), 'is not text in UTF-8'],
    [
      'a NUL in a title',
      VALID.replace('games }', 'games }, dashboard: { title: "a\\0b" }'),
      'spec.dashboard.title: must not have control characters, as in "a\\u0000b"\n',
    ],
    ['an alias that leads nowhere', 'a: *nowhere', 'Unresolved alias'],
    ['an alias bomb', ['a: &a [x]', ...bomb.slice(1)].join('\n'), 'Excessive alias count'],
    [
      'something within itself',
      VALID.replace('games }', 'games }, paused: &x [*x]'),
      'spec.paused: expected boolean',
    ],
    ['keys that are not text', VALID.replace('games }', 'games }, ? [a] : 1'), 'spec.[ a ]: is not a field'],
    ['nothing', '', 'must hold one GameAnalytics; it holds 0 documents.'],
    ['two documents', `${VALID}---${VALID}`, 'must hold one GameAnalytics; it holds 2 documents.'],
    ['a list', '- a', 'the manifest: expected object, not ["a"]'],
  ])('refuses a file that holds %s', async (_, text, sentence) => {
    const { code, out, err } = await gameanalytics(['validate', 'game.yaml'], folder({ 'game.yaml': text }));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err).toMatch(/^game\.yaml /);
    expect(err).not.toMatch(TRACE);
  });

  it('shows keys as they are, and does not let a terminal obey them', async () => {
    const keys = '"\\e[31mred", "\\u202Eright", "\\u009b2J"';
    const text = VALID.replace(
      'games }',
      `games }, ${keys
        .split(', ')
        .map((key) => `${key}: 1`)
        .join(', ')}`,
    );
    const { err } = await gameanalytics(['validate', 'game.yaml'], folder({ 'game.yaml': text }));
    expect(err).toContain('spec.\\u001b[31mred: is not a field');
    expect(err).toContain('spec.\\u202eright: is not a field');
    expect(err).toContain('spec.\\u009b2J: is not a field');
    expect(err).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  });

  it('says what is wrong with many keys, and not of each, before it is killed', async () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `key-${i}: ${i}`).join('\n');
    const { code, err } = await gameanalytics(
      ['validate', 'game.yaml'],
      folder({ 'game.yaml': VALID + keys }),
    );
    expect(code).toBe(2);
    expect(err).toContain('  key-0: is not a field');
    expect(err).toMatch(/… and 99950 more\n$/);
  });

  it.each(['missing.yaml', '.'])('refuses %s, which is no file', async (file) => {
    const { code, err } = await gameanalytics(['validate', file], folder({}));
    expect(code).toBe(2);
    expect(err).toMatch(/ cannot be read: /);
    expect(err).not.toMatch(TRACE);
  });
});
