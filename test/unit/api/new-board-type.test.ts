import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

/*
 * A board type is a module, its SELECT, and its place in the list of types. Here is one more, in a copy of
 * the sources in which nothing else is touched.
 */

const MODULE = `
import { integer } from '../integer.ts';
import { boardType } from './board-type.ts';
import { integerColumn, NEWEST_EVENT, PLACE, PLAYER, TEAM } from './columns.ts';
import { conditionFields, resolveSeason, seasonFields, seasonPeriod, type TotalsBoard } from './shared-fields.ts';

export interface BestScoresBoard extends TotalsBoard {
  type: 'BestScores';
  leastScore: number;
}

export const bestScores = boardType<BestScoresBoard>()({
  name: 'BestScores',
  summary: 'players by their best single score',
  default: { name: 'best-scores' },
  fields: {
    ...conditionFields,
    ...seasonFields,
    leastScore: {
      schema: integer(0, 1_000_000),
      description: 'the least score that is ranked. Default 5.',
      rules: [{ cel: 'self.leastScore != 13', message: 'leastScore must not be 13', holds: (score) => score !== 13 }],
    },
  },
  rules: [
    {
      cel: "(!has(self.season) || self.season != 'none' || has(self.leastScore))",
      message: 'a season without an end needs leastScore',
      holds: (values) => values.season !== 'none' || values.leastScore !== undefined,
    },
  ],
  resolve: (values) => ({ leastScore: values.leastScore ?? 5, ...resolveSeason(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, PLAYER, TEAM, integerColumn('best_score', 'Best'), NEWEST_EVENT],
    identity: ['user_id'],
    bar: 'best_score',
  }),
  template: 'best-scores',
});
`;

const SELECT = `WITH best AS (
  SELECT
    {{season this}} AS season_start,
    user_id,
    SUBSTRING(MAX(dated_team_name) FROM 20) AS team_name,
    MAX(score) AS best_score,
    MAX(produced_at_millis) AS last_event_at
  FROM {{identifier validEvents}}{{where condition}}
  GROUP BY {{season this}}, user_id
  HAVING MAX(score) >= {{integer leastScore}}
)
SELECT
  season_start,
  ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY best_score DESC, user_id) AS rnk,
  user_id,
  team_name,
  best_score,
  last_event_at
FROM best
`;

/** Runs in the copy, and prints what became of the type there. */
const OBSERVE = `
import { customResourceDefinition } from './api/crd.ts';
import { parseGameAnalytics } from './api/parse.ts';
import { plan } from './plan/plan.ts';
import { sqlScript } from './plan/sql.ts';
import { reference } from './tools/docs/reference.ts';

const schema = customResourceDefinition().spec.versions[0].schema.openAPIV3Schema;
const parse = (leaderboards) => parseGameAnalytics({
  apiVersion: 'gameanalytics.dev/v1alpha1',
  kind: 'GameAnalytics',
  metadata: { name: 'game' },
  spec: { kafka: { cluster: 'games' }, leaderboards },
});
const { resource } = parse([{ name: 'best', type: 'BestScores', leastScore: 7, where: 'score < 100' }]);
const environment = { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' };
console.log(JSON.stringify({
  schema,
  page: reference(schema),
  byDefault: parse(undefined).resource.spec.leaderboards,
  problems: [
    { name: 'best', type: 'BestScores', leastScore: 13 },
    { name: 'best', type: 'BestScores', season: 'none' },
    { name: 'best', type: 'TopTeams', leastScore: 1 },
  ].map((board) => parse([board]).problems.map(({ path, message }) => path + ': ' + message)),
  sql: sqlScript(resource, 'kafka:9092'),
  objects: plan(resource, environment),
}));
`;

const SOURCES = ['api', 'contract', 'plan', 'sql', 'tools', 'package.json'];

const run = promisify(execFile);
let folder: string;
let observed: {
  schema: Schema;
  page: string;
  byDefault: { type: string; name: string }[];
  problems: string[][];
  sql: string;
  objects: { kind: string; metadata: { name: string }; spec: unknown }[];
};

interface Schema {
  properties: { spec: { properties: { leaderboards: { default: unknown[]; items: BoardSchema } } } };
}

interface BoardSchema {
  properties: { type: { enum: string[] }; leastScore: object };
  'x-kubernetes-validations': { rule: string }[];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'board-type-'));
  for (const source of SOURCES) await cp(source, join(folder, source), { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'api/boards/best-scores.ts'), MODULE);
  await writeFile(join(folder, 'sql/best-scores.sql.hbs'), SELECT);
  const list = join(folder, 'api/boards/types.ts');
  const types = await readFile(list, 'utf8');
  await writeFile(list, withType(types));
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', OBSERVE], {
    cwd: folder,
    maxBuffer: 2 ** 24,
  });
  observed = JSON.parse(stdout);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The list with the type in it: imported, in the union of boards, and in the array. */
function withType(list: string): string {
  const places: [RegExp, string][] = [
    [/^import /m, "import { type BestScoresBoard, bestScores } from './best-scores.ts';\nimport "],
    [/(export type Leaderboard =)/, '$1 BestScoresBoard |'],
    [/(BOARD_TYPES: [^=]* = \[)/, '$1\n  bestScores,'],
  ];
  for (const [place] of places) expect(list).toMatch(place);
  return places.reduce((text, [place, added]) => text.replace(place, added), list);
}

it('the CRD has its name, its field, its default and its rules', () => {
  const { default: byDefault, items } = observed.schema.properties.spec.properties.leaderboards;
  expect(items.properties.type.enum).toContain('BestScores');
  expect(items.properties.leastScore).toMatchObject({ type: 'integer', maximum: 1_000_000 });
  expect(byDefault).toContainEqual({ name: 'best-scores', type: 'BestScores' });
  const rules = items['x-kubernetes-validations'].map(({ rule }) => rule);
  expect(rules).toEqual(
    expect.arrayContaining([
      "!has(self.leastScore) || self.type in ['BestScores']",
      '!has(self.leastScore) || self.leastScore != 13',
      "self.type != 'BestScores' || (!has(self.season) || self.season != 'none' || has(self.leastScore))",
    ]),
  );
});

it('the parser has the same rules, and the same default', () => {
  expect(observed.problems).toEqual([
    [expect.stringContaining('leastScore must not be 13')],
    [expect.stringContaining('a season without an end needs leastScore')],
    [expect.stringContaining('leastScore is only for BestScores')],
  ]);
  expect(observed.byDefault.find(({ type }) => type === 'BestScores')).toMatchObject({
    name: 'best-scores',
    title: 'Best Scores',
    leastScore: 5,
    seasonMillis: 3_600_000,
  });
});

it('the plan has its SELECT with its values, its topic, and its columns for the dashboard', () => {
  expect(observed.sql).toContain('HAVING MAX(score) >= 7');
  expect(observed.sql).toContain('score < 100');
  expect(observed.sql).toContain('`best_score` BIGINT');
  const { objects } = observed;
  expect(objects.filter(({ kind }) => kind === 'KafkaTopic').map(({ metadata }) => metadata.name)).toContain(
    'game-best',
  );
  const dashboard = objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && /dashboard/.test(metadata.name),
  );
  expect(JSON.stringify(dashboard)).toContain('best_score');
});

it('the docs have its row and what it ranks', () => {
  expect(observed.page).toMatch(/^\| `leaderboards\[\]\.leastScore` \| integer, 0 to 1000000 \| `5` \|/m);
  expect(observed.page).toContain('BestScores: players by their best single score.');
});

it('the compiler finds no other place that has to know it', { timeout: 120_000 }, async () => {
  const config = JSON.parse(await readFile('tsconfig.json', 'utf8'));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, include: ['api', 'plan'] }));
  const tsc = join(folder, 'node_modules/.bin/tsc');
  await expect(run(process.execPath, [tsc], { cwd: folder })).resolves.toMatchObject({ stdout: '' });
});
