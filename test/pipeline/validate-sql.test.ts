import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { UserError } from '../../local/process/user-error.ts';
import { explainResource } from '../../local/sql-check/explain.ts';
import { type SqlGateway, startSqlGateway } from '../../local/sql-check/gateway.ts';
import { splitStatements } from '../../local/sql-check/statements.ts';
import { openPipelineSession, openSession } from '../../local/sql-session/session.ts';
import { peekScript } from '../../plan/peek.ts';
import { sessionScript } from '../../plan/session.ts';
import { childProcess } from '../../testkit/pipeline/processes.ts';
import { resource } from '../../testkit/resources/resource.ts';

const COLUMNS = [
  { name: 'rnk', type: 'BIGINT' },
  { name: 'team_id', type: 'STRING' },
  { name: 'events', type: 'BIGINT' },
];

/** The busiest teams; what is selected and what is counted vary. */
function busiest(selected = 'rnk, team_id, events', total = 'COUNT(*)'): string {
  return `SELECT ${selected} FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY events DESC, team_id) AS rnk
  FROM (SELECT team_id, ${total} AS events FROM valid_events GROUP BY team_id)
) WHERE rnk <= 10`;
}

function board(name: string, query: string, columns: object[] = COLUMNS): object {
  return { name, type: 'Query', columns, query };
}

let gateway: SqlGateway;
beforeAll(async () => {
  gateway = await startSqlGateway(() => undefined, new AbortController().signal);
});
afterAll(() => gateway?.close());

it('has Flink’s classes from an archive that fits', () => {
  expect(childProcess('SqlGateway').maps('/flink.jsa')).toBe(true);
});

describe('EXPLAIN of a resource’s SQL', () => {
  const explain = (...leaderboards: object[]) => explainResource(gateway, resource({ leaderboards }));
  const WELL = { problems: [], warnings: [] };

  it('names the field, line and column of what cannot be read of a record', async () => {
    const columns = [
      { name: 'player', type: 'STRING' },
      { name: 'clan', type: 'ROW<id STRING>' },
    ];
    const fields = {
      userId: 'player',
      teamId: '-- its id\n  clan.tag',
      score: 'points',
      time: "UPPER(player, 'x')",
    };
    const events = { columns, fields };
    const leaderboards = [{ name: 'top', type: 'TopPlayers' }];
    const { problems } = await explainResource(gateway, resource({ events, leaderboards }));
    expect(problems).toEqual([
      { path: 'spec.events.fields.teamId, line 2, column 3', message: expect.stringContaining('tag') },
      { path: 'spec.events.fields.score, line 1, column 1', message: expect.stringContaining('points') },
      { path: 'spec.events.fields.time, line 1, column 1', message: expect.stringContaining('UPPER') },
    ]);
  });

  it('ends, and names the board, when Flink does not come to an end with its query', async () => {
    const impatient = await startSqlGateway(() => undefined, new AbortController().signal, {
      statementMillis: 10_000,
    });
    try {
      // A constant, which Flink computes while it plans: its time doubles with every second character.
      const endless = `SELECT 1, user_id, 1 FROM valid_events WHERE REGEXP('${'a'.repeat(60)}b', '^(a|aa)+\\1c$')`;
      const leaderboards = [board('endless', endless), { name: 'top', type: 'TopTeams' }];
      expect(await explainResource(impatient, resource({ leaderboards }))).toEqual({
        problems: [
          {
            path: 'spec.leaderboards[0].query (endless)',
            message: expect.stringContaining('Flink was still planning it after 10 s.'),
          },
        ],
        warnings: [],
      });
    } finally {
      await impatient.close();
    }
  });

  it('finds nothing wrong with the default boards', async () => {
    expect(await explainResource(gateway, resource())).toEqual(WELL);
  });

  it.each([
    ['plain', busiest()],
    ['that ends in a comment', `${busiest()} -- the end; really`],
    ['with semicolons and quotes in strings, names and comments', quoted(busiest())],
    ['whose columns have other names', busiest('rnk AS place, team_id AS team, events + 1')],
    ['with one column twice', busiest('rnk, team_id, rnk')],
  ])('takes a query %s', async (_, query) => {
    expect(await explain(board('busiest', query))).toEqual(WELL);
  });

  it('takes a condition of any board', async () => {
    const where = "team_name <> ';' -- it’s; all";
    const types = ['TopTeams', 'TopPlayers', 'HotStreakers', 'TeamMvps'];
    expect(await explain(...types.map((type, i) => ({ name: `board-${i}`, type, where })))).toEqual(WELL);
  });

  const COLUMNS_SAY = 'and columns says [rnk: BIGINT, team_id: STRING, events: BIGINT]';
  it.each([
    [
      'an unknown column',
      busiest('rnk, teem_id, events'),
      ', line 1, column 13',
      "Column 'teem_id' not found in any table",
    ],
    ['an unknown table', 'SELECT *\nFROM\tnowhere', ', line 2, column 6', "Object 'nowhere' not found"],
    [
      'a syntax error',
      'SELECT rnk\nFROM WHERE rnk',
      ', line 2, column 6',
      "Incorrect syntax near the keyword 'WHERE'",
    ],
    [
      'an end too early',
      'SELECT rnk FROM a GROUP',
      ', line 1, column 23',
      'it ends where SQL has more to say',
    ],
    [
      'a type that is not the column’s',
      busiest('rnk, team_id, CAST(events AS STRING)'),
      '',
      `its result does not have the board’s columns (Incompatible types for sink column 'events' at position 3): it is [rnk: BIGINT, team_id: STRING, EXPR$2: STRING], ${COLUMNS_SAY}`,
    ],
    [
      'too few columns',
      busiest('rnk, events'),
      '',
      `its result does not have the board’s columns (Different number of columns): it is [rnk: BIGINT, events: BIGINT], ${COLUMNS_SAY}`,
    ],
    [
      'columns in another order',
      busiest('events, team_id, rnk'),
      '',
      'its columns are in another order than the board’s: column 1 is events, and columns says rnk',
    ],
    [
      'no rank of its own',
      'SELECT score, team_id, score FROM valid_events',
      '',
      'Flink cannot see that the board has one row for each rnk: rank in a subquery with ROW_NUMBER() OVER (ORDER BY …) AS rnk, and keep WHERE rnk <= 10 of it',
    ],
  ])('says what is wrong with %s', async (_, query, place, message) => {
    const { problems } = await explain({ name: 'top', type: 'TopTeams' }, board('busiest', query));
    expect(problems).toEqual([{ path: `spec.leaderboards[1].query (busiest)${place}`, message }]);
  });

  it.each([
    ['alone', ''],
    ['after blank lines', '\n \n'],
    ['after comments', '-- one; two\n/* it’s\n ; */ '],
    ['after tabs and Windows’ line ends', '\t\r\n\t'],
  ])('counts lines and columns as they are in the resource: %s', async (_, before) => {
    const query = `${before}${quoted(busiest('rnk, team_id, events', 'SUM(scoore)'))}\n\n`;
    const lines = query.slice(0, query.indexOf('scoore')).split('\n');
    const { problems } = await explain(board('busiest', query));
    expect(problems).toEqual([
      {
        path: `spec.leaderboards[0].query (busiest), line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`,
        message: "Column 'scoore' not found in any table",
      },
    ]);
  });

  it.each([
    [
      'an unknown column',
      "\n\nscore > 1\n  AND teem_id = ''",
      4,
      7,
      "Column 'teem_id' not found in any table",
    ],
    ['an end too early', ' CASE WHEN TRUE THEN FALSE', 1, 27, 'Encountered ")"'],
    ['what is no condition', 'score', 1, 1, 'WHERE clause must be a condition'],
  ])('says what is wrong with a condition: %s', async (_, where, line, column, message) => {
    const { problems } = await explain({ name: 'mvps', type: 'TeamMvps', where });
    expect(problems).toEqual([
      { path: `spec.leaderboards[0].where (mvps), line ${line}, column ${column}`, message },
    ]);
  });

  it('says what is wrong with an expression, also where the board has a condition', async () => {
    const of = "\n team_nam || ''";
    const { problems } = await explain({ name: 'best', type: 'TopTeams', where: 'score > 1', of });
    expect(problems).toEqual([
      {
        path: 'spec.leaderboards[0].of (best), line 2, column 2',
        message: "Column 'team_nam' not found in any table",
      },
    ]);
  });

  it('sees that two columns of the same type have been swapped', async () => {
    const columns = [...COLUMNS, { name: 'players', type: 'BIGINT' }];
    const query = busiest('rnk, team_id, players, events', 'COUNT(DISTINCT user_id) AS players, COUNT(*)');
    const { problems } = await explain(board('busiest', query, columns));
    expect(problems.map(({ message }) => message)).toEqual([
      'its columns are in another order than the board’s: column 3 is players, and columns says events',
    ]);
  });

  it('warns of a rank that Flink must sort again for every change', async () => {
    const { problems, warnings } = await explain(
      board('averages', busiest(undefined, 'AVG(score)')),
      board('busiest', busiest()),
    );
    expect(problems).toEqual([]);
    expect(warnings.map(({ path }) => path)).toEqual(['spec.leaderboards[0].query (averages)']);
    expect(warnings[0]?.message).toMatch(/^its rank is slow/);
  });

  it('warns of what corrections cost, and of sums that they let fall', async () => {
    const positive = busiest(undefined, 'SUM(score)').replace(
      'valid_events',
      'valid_events WHERE score >= 0',
    );
    const { problems, warnings } = await explainResource(
      gateway,
      resource({
        events: { negativeScores: 'Correct' },
        leaderboards: [
          { name: 'teams', type: 'TopTeams' },
          { name: 'best', type: 'TopPlayers', score: 'Best' },
          { name: 'mvps', type: 'TeamMvps' },
          board('sums', busiest(undefined, 'SUM(score)')),
          board('without', positive),
        ],
      }),
    );
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      {
        path: 'spec.events.negativeScores',
        message: expect.stringMatching(/^with Correct, the totals of teams, mvps can fall\. /),
      },
      {
        path: 'spec.leaderboards[3].query (sums)',
        message: expect.stringContaining('SUM(score) of events WHERE score >= 0 or COUNT(*)'),
      },
    ]);
  });

  it('plans with the resource’s own table options, and says when one cannot be used', async () => {
    const flink = { configuration: { 'table.optimizer.join-reorder-enabled': 'perhaps' } };
    const leaderboards = [{ name: 'top', type: 'TopTeams' }];
    const { problems } = await explainResource(gateway, resource({ flink, leaderboards }));
    expect(problems.find(({ path }) => path === 'spec.leaderboards[0] (top)')?.message).toContain(
      "Could not parse value 'perhaps' for key 'table.optimizer.join-reorder-enabled'",
    );
  });
});

/**
 * The query with what looks like its end, or the beginning of a string, in all places that do not mean it.
 */
function quoted(query: string): string {
  return query.replace(
    'FROM valid_events',
    "FROM valid_events /* it's; */ AS `a;'b`\n-- ; it's\nWHERE team_name <> ';--''/*'",
  );
}

describe('a SQL session over a pipeline', () => {
  const never = new AbortController().signal;
  /** Nothing is read of it. */
  const place = { bootstrapServers: 'kafka:9092', stateDir: '.' };

  it('has tables that Flink can query, of boards of all types and of events of any form', async () => {
    const columns = [
      ...['player', 'clan', 'country', 'at', 'id', 'select'].map((name) => ({ name, type: 'STRING' })),
      { name: 'points', type: 'INT' },
    ];
    const fields = { userId: 'player', teamId: 'clan', score: 'points', time: '`at`', timeUnit: 'Iso8601' };
    const events = {
      columns,
      fields: { ...fields, eventId: 'id' },
      deduplicate: '1h',
      latestArrival: '1h',
      retention: '30d',
      format: 'csv',
    };
    const leaderboards = [
      { name: 'teams', type: 'TopTeams', history: true },
      { name: 'best-ever', type: 'TopPlayers', season: 'none', score: 'Best' },
      { name: 'this-week', type: 'TopPlayers', calendar: { every: 'Week' } },
      { name: 'by-country', type: 'TopPlayers', by: 'country' },
      { name: 'hot', type: 'HotStreakers', history: true },
      { name: 'mvps', type: 'TeamMvps' },
      board('select', busiest()),
    ];
    const made = resource({ events, leaderboards });
    const session = await openPipelineSession(gateway, made, place);
    const tables = (await session.run('SHOW TABLES', never))?.rows.map(([name]) => name);
    expect(tables).toEqual([
      ...['best_ever', 'by_country', 'by_country_seasons', 'events', 'hot', 'hot_history'],
      ...['mvps', 'mvps_seasons', 'select', 'teams', 'teams_history', 'teams_seasons'],
      ...['this_week', 'this_week_seasons', 'valid_events'],
    ]);
    for (const table of tables ?? []) {
      const result = await session.run(`EXPLAIN SELECT * FROM \`${table}\``, never);
      expect(result?.rows[0]?.[0]).toContain('== Optimized Execution Plan ==');
    }
    const slices = [{ partition: 0, start: 5, end: 25 }];
    const peeked = peekScript(made, place.bootstrapServers, slices, 20);
    const peeking = await openSession(gateway, made, peeked, place.stateDir);
    const plan = await peeking.run('EXPLAIN SELECT * FROM peeked', never);
    expect(plan?.rows[0]?.[0]).toContain('frozen');
    const columnsOf = async (table: string) =>
      (await session.run(`DESCRIBE ${table}`, never))?.rows.map(([name, type]) => `${name} ${type}`);
    expect(await columnsOf('by_country')).toEqual([
      ...['season_start TIMESTAMP_LTZ(3)', 'value STRING', 'rnk BIGINT', 'user_id STRING'],
      ...['team_name STRING', 'total_score BIGINT', 'last_event_at TIMESTAMP_LTZ(3)'],
    ]);
    expect(await columnsOf('hot_history')).toEqual(
      expect.arrayContaining([
        'written_at TIMESTAMP_LTZ(3)',
        'as_of TIMESTAMP_LTZ(3)',
        'peak_hotness DOUBLE',
      ]),
    );
  });

  it('shows nothing of a registry but its address and where its secrets are', async () => {
    const schemaRegistry = { url: 'http://registry:8081', secretName: 'registry-sign-in' };
    const format = 'avro-confluent';
    const columns = [
      ...['user_id', 'team_id'].map((name) => ({ name, type: 'STRING' })),
      ...['score', 'event_time_millis'].map((name) => ({ name, type: 'BIGINT' })),
    ];
    const avro = resource({ events: { format, schemaRegistry, columns } });
    const script = splitStatements(sessionScript(avro, place.bootstrapServers)).statements.join('\n');
    expect(script.match(/'value\.registry-avro\.[^']*'/g)).toEqual([
      "'value.registry-avro.url'",
      "'value.registry-avro.secret-folder'",
    ]);
  });

  it('says in a sentence, with its place, what Flink refuses, and why a query failed', async () => {
    const session = await openPipelineSession(gateway, resource(), place);
    const failure = (statement: string) => session.run(statement, never).then(String, (error) => error);
    expect(await failure('SELECT\n teem_id FROM events')).toEqual(
      new UserError("line 2, column 2: Column 'teem_id' not found in any table"),
    );
    expect(await failure('SELECT * FROM topteams')).toEqual(
      new UserError("line 1, column 15: Object 'topteams' not found"),
    );
    expect(await failure('SELECT 1 / 0')).toEqual(new UserError('Division by zero'));
  });

  it('runs a query in its own process, and cancels one that is asked to stop', async () => {
    const session = await openPipelineSession(gateway, resource(), place);
    const query = 'SELECT n, CAST(NULL AS STRING) AS nothing FROM (VALUES (2), (1)) AS t (n) ORDER BY n';
    expect(await session.run(query, never)).toEqual({
      columns: [
        { name: 'n', type: 'INTEGER' },
        { name: 'nothing', type: 'VARCHAR' },
      ],
      rows: [
        ['1', null],
        ['2', null],
      ],
    });
    await session.run("SET 'execution.runtime-mode' = 'streaming'", never);
    await session.run("CREATE TABLE endless (n INT) WITH ('connector' = 'datagen')", never);
    const stop = new AbortController();
    const running = session.run('SELECT n FROM endless', stop.signal);
    setTimeout(() => stop.abort(), 3000);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await expect(session.run('SELECT COUNT(*) FROM (VALUES (1), (2)) AS t (n)', never)).rejects.toThrow(
      'Go back to batch mode',
    );
  });
});

describe('gameanalytics validate --sql', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gameanalytics-validate-'));
    await mkdir(join(folder, 'tmp'));
    await writeManifest('good.yaml', [board('busiest', busiest())]);
    await writeManifest('bad.yaml', [
      board('first', busiest('rnk, teem_id, events')),
      board('second', busiest()),
      board('third', busiest('rnk, events')),
    ]);
    await writeFile(join(folder, 'malformed.yaml'), 'a: [');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function writeManifest(name: string, leaderboards: object[]): Promise<void> {
    const { metadata } = resource();
    const spec = { kafka: { cluster: 'games' }, leaderboards };
    const manifest = { apiVersion: 'gameanalytics.dev/v1alpha1', kind: 'GameAnalytics', metadata, spec };
    return writeFile(join(folder, name), stringify(manifest));
  }

  function start(...files: string[]) {
    return spawn(process.execPath, [resolve('cli/main.ts'), 'validate', '--sql', ...files], {
      cwd: folder,
      env: { ...process.env, TMPDIR: join(folder, 'tmp') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Processes that work in our temporary folder, and what is left in it. */
  async function leftBehind(): Promise<string[]> {
    const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
    return [...all.filter((line) => line.includes(folder)), ...(await readdir(join(folder, 'tmp')))];
  }

  it('names every board that Flink refuses, and the files that are valid all the same', async () => {
    const child = start('malformed.yaml', 'bad.yaml', 'good.yaml');
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    expect(code).toBe(2);
    expect(out).toBe('good.yaml is valid: game with the leaderboards busiest\n');
    expect(err).toContain('malformed.yaml is not valid YAML:');
    expect(err).toContain(
      [
        'bad.yaml has SQL that cannot be used (2 to fix):',
        "  spec.leaderboards[0].query (first), line 1, column 13: Column 'teem_id' not found in any table",
        '  spec.leaderboards[2].query (third): its result does not have the board’s columns',
      ].join('\n'),
    );
    expect(err).not.toMatch(/^\s+at /m);
    expect(await leftBehind()).toEqual([]);
  });

  it('leaves nothing behind when Ctrl-C stops it', async () => {
    const child = start('good.yaml', 'bad.yaml');
    const exit = once(child, 'exit');
    let err = '';
    for await (const chunk of child.stderr.setEncoding('utf8')) {
      const before = err.includes('planning');
      err += chunk;
      if (!before && err.includes('planning')) child.kill('SIGINT');
    }
    expect(await exit).toEqual([1, null]);
    expect(err).toMatch(/stopped before all SQL was planned\n$/);
    expect(await leftBehind()).toEqual([]);
  });
});
