import { EVENT_SCHEMA } from '../../injector/avro.ts';
import type { Broker } from '../../local/kafka/broker.ts';
import type { LocalRuntime } from '../../local/local-runtime.ts';
import { startSchemaRegistry } from '../../local/schema-registry.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';
import { registerSchema } from '../../registry/schema-registry.ts';
import { writeBacklog } from './backlog.ts';
import { type Bounds, type Outcome, type Peak, runJob } from './flink-job.ts';
import type { FormerRevision } from './former.ts';
import type { Game } from './game.ts';
import { markdownTable, megabytes, short } from './markdown.ts';
import { AVRO, BASELINE_BOARDS, baseline, type JobOptions, product } from './subjects.ts';

/** A backlog of events, and what reads it. */
export interface Backlog {
  name: string;
  title: string;
  players: number;
  /** Of which the first are one of each player. */
  events: number;
  stateBackend: JobOptions['stateBackend'];
  taskManagerMemory: string;
  subjects: SubjectName[];
  /** Measured in addition to the product's jobs, with the same boards. */
  former?: FormerRevision | undefined;
  /**
   * Processor time that each subject may use, in seconds, once every player has played: each of its jobs gets
   * an equal part, after which it is ended.
   */
  limitCpuSeconds: number;
}

export type SubjectName = keyof typeof PRODUCT | keyof typeof BASELINES;

interface Job {
  title: string;
  make: (broker: Broker, options: JobOptions) => Promise<FlinkDeployment>;
}

/** What is compared, each with all the jobs that it takes. */
interface Subject {
  title: string;
  jobs: Job[];
}

type ProductJob = Pick<JobOptions, 'leaderboards' | 'records'>;

/** The events as they are, described as if they were records of another form. */
const MAPPED = { userId: 'user_id', teamId: 'team_id', teamName: 'team_name', score: 'score + 0' };
const COLUMNS = [
  ...['user_id', 'team_id', 'team_name', 'readable_time'].map((name) => ({ name, type: 'STRING' })),
  ...['score', 'event_time_millis'].map((name) => ({ name, type: 'BIGINT' })),
];
const EVENT_ID = "user_id || '-' || TRY_CAST(event_time_millis AS STRING)";

function topPlayers(score: string, fields: object = {}): ProductJob {
  return { leaderboards: [{ name: 'top-players', type: 'TopPlayers', score, ...fields }] };
}

/** Each player is of one of some 200 countries, by the end of its id. */
const OF_COUNTRIES = {
  columns: COLUMNS,
  fields: {
    ...MAPPED,
    score: 'score',
    teamName: "RIGHT(user_id, 2) || CASE WHEN LEFT(RIGHT(user_id, 3), 1) < '5' THEN 'a' ELSE 'b' END",
  },
};

/** The boards of the product's job, by default the four, and what their events are read from. */
const PRODUCT = {
  'the four boards': {},
  'the two total boards': {
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams' },
      { name: 'top-players', type: 'TopPlayers' },
    ],
  },
  'Team MVPs': { leaderboards: [{ name: 'team-mvps', type: 'TeamMvps' }] },
  'the four boards of mapped records': { records: { columns: COLUMNS, fields: MAPPED } },
  'the four boards of records in Avro': { records: { format: AVRO } },
  'the four boards of mapped records with times as text': {
    records: { columns: COLUMNS, fields: { ...MAPPED, time: 'readable_time', timeUnit: 'Iso8601' } },
  },
  'the four boards of mapped records with each id once': {
    records: { columns: COLUMNS, fields: { ...MAPPED, eventId: EVENT_ID }, deduplicate: '1h' },
  },
  'Top Players by Sum': topPlayers('Sum'),
  'Top Players by Best': topPlayers('Best'),
  'Top Players by Count': topPlayers('Count'),
  'Top Players by Latest': topPlayers('Latest'),
  'Top Players by Sum, first to reach': topPlayers('Sum', { ties: 'FirstToReach' }),
  'Top Players by Best, first to reach': topPlayers('Best', { ties: 'FirstToReach' }),
  'Top Players of events with a country': { ...topPlayers('Sum'), records: OF_COUNTRIES },
  'Top Players of each of 200 countries': {
    leaderboards: [{ name: 'top-players', type: 'TopPlayers', by: 'team_name' }],
    records: OF_COUNTRIES,
  },
} satisfies Record<string, ProductJob>;

const BASELINES = {
  'the demo’s queries': baselineJobs('the demo’s', true),
  'the demo’s queries without mini-batches': baselineJobs('without mini-batches:', false),
} satisfies Record<string, Job[]>;

function subjectsOf(name: SubjectName, former: FormerRevision | undefined): Subject[] {
  if (!isProduct(name)) return [{ title: name, jobs: BASELINES[name] }];
  const job = PRODUCT[name];
  return [
    productSubject(name, job),
    ...(former ? [productSubject(`${name} of ${former.name}`, { ...job, former })] : []),
  ];
}

function isInAvro(name: SubjectName): boolean {
  return isProduct(name) && (PRODUCT[name] as ProductJob).records?.format === AVRO;
}

function isProduct(name: SubjectName): name is keyof typeof PRODUCT {
  return name in PRODUCT;
}

function productSubject(title: string, which: ProductJob & Pick<JobOptions, 'former'>): Subject {
  return {
    title,
    jobs: [{ title, make: (broker, options) => product(broker, { ...options, ...which }) }],
  };
}

function baselineJobs(whose: string, miniBatch: boolean): Job[] {
  return BASELINE_BOARDS.map((board) => ({
    title: `${whose} ${board}`,
    make: (broker, options) => baseline(broker, options, board, miniBatch),
  }));
}

const SEED = 1;

/**
 * Writes a backlog and has each subject's jobs read it, one after the other: side by side, nothing would tell
 * whose the processor time was. Returns a Markdown table.
 */
export async function benchBacklog(runtime: LocalRuntime, broker: Broker, backlog: Backlog): Promise<string> {
  const { name, title, players, events, stateBackend, taskManagerMemory, limitCpuSeconds } = backlog;
  runtime.report(`${name}: writing ${short(events)} events`);
  const game = { seed: SEED, players, events };
  await writeBacklog(broker, name, game, runtime.signal);
  const avro = backlog.subjects.some(isInAvro)
    ? await writeInAvro(runtime, broker, `${name}-avro`, game)
    : undefined;
  const results: Result[] = [];
  const subjects = backlog.subjects.flatMap((subject) => subjectsOf(subject, backlog.former));
  for (const [i, { title: subject, jobs }] of subjects.entries()) {
    const runs: Run[] = [];
    for (const [j, { title, make }] of jobs.entries()) {
      runtime.report(`${name}: ${title}`);
      const deploy = (attempt: number) =>
        make(broker, {
          run: `${name}-${i}-${j}-${attempt}`,
          events: name,
          avro,
          stateBackend,
          taskManagerMemory,
        });
      const outcome = await run(runtime, deploy, {
        backlog: events,
        warmUp: players,
        limitCpuSeconds: limitCpuSeconds / jobs.length,
      });
      runs.push({ title, outcome });
    }
    results.push({ subject, runs });
  }
  await broker.admin.deleteTopics({ topics: [name, ...(avro ? [avro.topic] : [])] });
  return `### ${title}, ${short(events)} events\n\n${table(results)}`;
}

/** The same backlog in Avro, with its schema in a registry of its own, as the injector writes it. */
async function writeInAvro(
  runtime: LocalRuntime,
  broker: Broker,
  topic: string,
  game: Game,
): Promise<JobOptions['avro']> {
  const registryUrl = await startSchemaRegistry(runtime);
  const registry = { url: registryUrl, folder: undefined };
  const schemaId = await registerSchema(registry, `${topic}-value`, EVENT_SCHEMA, runtime.signal);
  await writeBacklog(broker, topic, game, runtime.signal, schemaId);
  return { topic, registryUrl };
}

interface Run {
  title: string;
  outcome: Outcome | Error;
}

interface Result {
  subject: string;
  runs: Run[];
}

/** One job's run. That it could not do it is a result too. */
async function run(
  runtime: LocalRuntime,
  deploy: (attempt: number) => Promise<FlinkDeployment>,
  bounds: Bounds,
): Promise<Outcome | Error> {
  for (let attempt = 1; ; attempt++) {
    // A new name, or a second attempt would restore the first one's checkpoint.
    const deployment = await deploy(attempt);
    try {
      return await runJob(runtime, deployment, bounds);
    } catch (error) {
      runtime.signal.throwIfAborted();
      runtime.report((error as Error).message);
      if (attempt === ATTEMPTS || !PAUSED_AT_ITS_END.test((error as Error).message)) return error as Error;
    }
  }
}

/**
 * Flink's Kafka source may fail when watermark alignment pauses a partition that has just been read to its
 * bound. That comes of the bound, which only a benchmark sets: the run is done again.
 */
const PAUSED_AT_ITS_END = /No current assignment for partition/;
const ATTEMPTS = 3;

const HEAD = [
  'job',
  'CPU s per million',
  'of it JIT',
  'CPU without JIT, times the first row',
  'events/s',
  'events/s per core',
  'read',
  'peak RSS TM + JM',
  'TM once all had played',
  'state',
  'state once all had played',
  'checkpoint',
];

function table(results: Result[]): string {
  const first = perMillion(results[0]!.runs, withoutCompilers);
  const rows = results.flatMap(({ subject, runs }) => [
    ...runs.map((run) => [run.title, ...costs([run], first), ...details(run)]),
    ...(runs.length > 1 ? [[`**${subject}**`, ...costs(runs, first), ...NO_DETAILS]] : []),
  ]);
  return markdownTable(HEAD, rows);
}

/**
 * Of jobs that each have to read all the events. The compilers' part is as large in a short run as in a long
 * one, so it is not compared.
 */
function costs(runs: Run[], first: number): string[] {
  return [
    perMillion(runs, ({ cpuSeconds }) => cpuSeconds).toFixed(1),
    perMillion(runs, ({ compilerCpuSeconds }) => compilerCpuSeconds).toFixed(1),
    (perMillion(runs, withoutCompilers) / first).toFixed(1),
  ];
}

/** NaN when one of the jobs failed. */
function perMillion(runs: Run[], seconds: (outcome: Outcome) => number): number {
  const each = runs.map(({ outcome }) =>
    outcome instanceof Error ? Number.NaN : seconds(outcome) / (outcome.events / 1e6),
  );
  return each.reduce((sum, term) => sum + term, 0);
}

function withoutCompilers({ cpuSeconds, compilerCpuSeconds }: Outcome): number {
  return cpuSeconds - compilerCpuSeconds;
}

function details({ outcome }: Run): string[] {
  if (outcome instanceof Error) return [`failed: ${outcome.message.split('\n')[0]}`, ...NO_DETAILS.slice(1)];
  const { part, events, seconds, cpuSeconds, peak, peakOfWarmUp } = outcome;
  return [
    short(events / seconds),
    short(events / cpuSeconds),
    `${short(events)}${REMARKS[part]}`,
    `${megabytes(peak.taskManagerBytes)} + ${megabytes(peak.jobManagerBytes)}`,
    peakOfWarmUp ? megabytes(peakOfWarmUp.taskManagerBytes) : '',
    stateOf(peak),
    stateOf(peakOfWarmUp),
    peak.checkpoints ? `${peak.checkpoints.millis.toFixed(0)} ms` : 'none',
  ];
}

function stateOf(peak: Peak | undefined): string {
  return peak?.checkpoints ? megabytes(peak.checkpoints.stateBytes) : '';
}

const REMARKS: Record<Outcome['part'], string> = {
  all: '',
  'some of the rest': ' once all had played, did not finish',
  'some of the warm-up': ', did not get to where all had played',
};

const NO_DETAILS = ['', '', '', '', '', '', '', ''];
