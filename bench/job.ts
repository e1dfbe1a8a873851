import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { startKafka } from '../local/kafka/broker.ts';
import { type LocalRuntime, startLocalRuntime } from '../local/local-runtime.ts';
import { type Backlog, benchBacklog, type SubjectName } from './job/backlog-bench.ts';
import { checkOut, type FormerRevision } from './job/former.ts';
import { benchInjector } from './job/injector-bench.ts';
import { benchLive, type LiveFormat } from './job/live-bench.ts';

const HELP = `node --disable-warning=TimeoutNegativeWarning bench/job.ts [--full] [--only NAME] [--against REVISION]

Measures the job against a baseline on the same events, on this machine: real Kafka, real Flink, everything in a temporary
folder. Tables of Markdown go to standard output, progress to standard error. Ctrl-C stops it and leaves nothing behind.

Without options it takes about half an hour; the first of the list takes three minutes. On a busy machine the job itself
needs more CPU per event: it combines less in its half second.

  --full        all of it: the baseline may take ten times as long, and is there without mini-batches too; a million players; the
                pipeline as events come; some hours
  --only NAME   only one measurement, of the list below
  --against REVISION
                also measures the job of an earlier revision of this project, as git names it
  --help        this text

`;

/**
 * What a subject's jobs may use before they are ended: more than the product needs on a quiet machine, so
 * that it finishes there.
 */
const LIMIT_CPU_SECONDS = 240;
/** What a TaskManager needs to keep 100,000 players, or a million, on its heap. */
const MEMORY = '3Gi';
const MEMORY_OF_A_MILLION = '6Gi';
const DEMO: SubjectName = 'the demo’s queries';
const DEMO_WITHOUT: SubjectName = 'the demo’s queries without mini-batches';
const COMPARED: SubjectName[] = ['the four boards', DEMO];

const BACKLOGS: Backlog[] = [
  {
    name: 'heap-150',
    title: '150 players, heap',
    players: 150,
    events: 2_000_000,
    stateBackend: 'hashmap',
    taskManagerMemory: MEMORY,
    subjects: COMPARED,
    limitCpuSeconds: LIMIT_CPU_SECONDS,
  },
  {
    name: 'heap-100k',
    title: '100,000 players, heap',
    players: 100_000,
    events: 1_000_000,
    stateBackend: 'hashmap',
    taskManagerMemory: MEMORY,
    subjects: COMPARED,
    limitCpuSeconds: LIMIT_CPU_SECONDS,
  },
  {
    name: 'rocksdb-10k',
    title: '10,000 players, RocksDB',
    players: 10_000,
    events: 1_000_000,
    stateBackend: 'rocksdb',
    taskManagerMemory: MEMORY,
    subjects: [...COMPARED, DEMO_WITHOUT],
    limitCpuSeconds: 2 * LIMIT_CPU_SECONDS,
  },
  {
    name: 'totals',
    title: 'Top Teams and Top Players alone, 10,000 players, heap',
    players: 10_000,
    events: 3_000_000,
    stateBackend: 'hashmap',
    taskManagerMemory: MEMORY,
    subjects: ['the two total boards'],
    limitCpuSeconds: LIMIT_CPU_SECONDS,
  },
];

const MILLION: Backlog[] = [
  {
    name: 'heap-1m',
    title: '1,000,000 players, heap',
    players: 1_000_000,
    events: 2_000_000,
    stateBackend: 'hashmap',
    taskManagerMemory: MEMORY_OF_A_MILLION,
    subjects: ['the four boards'],
    limitCpuSeconds: 4 * LIMIT_CPU_SECONDS,
  },
  {
    name: 'rocksdb-1m',
    title: '1,000,000 players, RocksDB',
    players: 1_000_000,
    events: 2_000_000,
    stateBackend: 'rocksdb',
    taskManagerMemory: MEMORY_OF_A_MILLION,
    subjects: ['the four boards'],
    limitCpuSeconds: 10 * LIMIT_CPU_SECONDS,
  },
];

const BACKENDS = [
  { backend: 'heap', stateBackend: 'hashmap', limitCpuSeconds: 2 * LIMIT_CPU_SECONDS },
  { backend: 'rocksdb', stateBackend: 'rocksdb', limitCpuSeconds: 4 * LIMIT_CPU_SECONDS },
] as const;
const TEAMS = [
  { teams: 10_000, events: 1_000_000, taskManagerMemory: MEMORY },
  { teams: 100_000, events: 1_500_000, taskManagerMemory: MEMORY_OF_A_MILLION },
];
const PLAYERS_PER_TEAM = 10;

const MVPS: Backlog[] = BACKENDS.flatMap(({ backend, ...state }) =>
  TEAMS.map(({ teams, ...rest }) => ({
    name: `mvps-${backend}-${teams / 1000}k`,
    title: `Team MVPs alone, ${teams.toLocaleString('en-US')} teams, ${backend}`,
    players: PLAYERS_PER_TEAM * teams,
    subjects: ['Team MVPs'],
    ...state,
    ...rest,
  })),
);

const RECORDS: Backlog = {
  name: 'records',
  title: 'Records of another form, 100,000 players, heap',
  players: 100_000,
  events: 1_000_000,
  stateBackend: 'hashmap',
  taskManagerMemory: MEMORY,
  subjects: [
    'the four boards',
    'the four boards of mapped records',
    'the four boards of mapped records with times as text',
    'the four boards of mapped records with each id once',
    'the four boards of records in Avro',
  ],
  limitCpuSeconds: LIMIT_CPU_SECONDS,
};

const SCORES: Backlog = {
  name: 'scores',
  title: 'Top Players by other scores, 10,000 players, heap',
  players: 10_000,
  events: 500_000,
  stateBackend: 'hashmap',
  taskManagerMemory: MEMORY,
  subjects: ['Top Players by Sum', 'Top Players by Best', 'Top Players by Count', 'Top Players by Latest'],
  limitCpuSeconds: LIMIT_CPU_SECONDS,
};

const TIES: Backlog = {
  ...SCORES,
  name: 'ties',
  title: 'Top Players with equal scores by time, 10,000 players, heap',
  subjects: [
    'Top Players by Sum',
    'Top Players by Sum, first to reach',
    'Top Players by Best',
    'Top Players by Best, first to reach',
    'Top Players by Latest',
  ],
};

const BY: Backlog = {
  name: 'by',
  title: 'Top Players of each of 200 countries, 100,000 players, heap',
  players: 100_000,
  events: 1_000_000,
  stateBackend: 'hashmap',
  taskManagerMemory: MEMORY,
  subjects: ['Top Players of events with a country', 'Top Players of each of 200 countries'],
  limitCpuSeconds: LIMIT_CPU_SECONDS,
};

const LIVE_RATES = [1_000, 10_000];
/** In Avro, as long as a machine of two cores can follow. */
const LIVE_AVRO_RATES = [10_000, 30_000];

interface Measurement {
  name: string;
  measure: (signal: AbortSignal, former?: FormerRevision) => Promise<string>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean' },
      only: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const { full = false, only, against, help } = values;
  const all = [...usual(full), ...long(full)];
  if (help) {
    process.stdout.write(`${HELP}names: ${all.map(({ name }) => name).join(', ')}\n`);
    return;
  }
  const standard = full ? all : usual(full);
  const chosen = only ? all.filter(({ name }) => name === only) : standard;
  if (chosen.length === 0) throw new Error(`nothing is called ${only}; see --help`);
  const signal = stopOnSignals();
  process.stdout.write(`${machine()}\n\n`);
  await inTemporaryFolder(async (folder) => {
    const former = against === undefined ? undefined : await checkOut(against, join(folder, 'former'));
    for (const { measure } of chosen) process.stdout.write(`${await measure(signal, former)}\n`);
  });
}

/** What the figures are of; on a machine that was busy before, they are worth little. */
function machine(): string {
  const load = loadavg()[0]?.toFixed(1);
  return `${availableParallelism()} cores (${cpus()[0]?.model}), load before: ${load}`;
}

function usual(full: boolean): Measurement[] {
  return BACKLOGS.map((backlog) => onBacklog(full ? whole(backlog) : backlog));
}

function long(full: boolean): Measurement[] {
  return [
    ...[...MILLION, ...MVPS, RECORDS, SCORES, TIES, BY].map((backlog) =>
      onBacklog(full ? whole(backlog) : backlog),
    ),
    ...LIVE_RATES.map((rate) => live(rate, 'json')),
    ...LIVE_AVRO_RATES.map((rate) => live(rate, 'avro-confluent')),
    { name: 'injector', measure: (signal) => withRuntime(signal, benchInjector) },
  ];
}

/**
 * With --full a run may use this many times as much, in which most baselines finish too, and there is another
 * baseline.
 */
const FULL_TIMES = 10;

function whole(backlog: Backlog): Backlog {
  const { subjects, limitCpuSeconds } = backlog;
  return {
    ...backlog,
    limitCpuSeconds: FULL_TIMES * limitCpuSeconds,
    subjects: subjects === COMPARED ? [...COMPARED, DEMO_WITHOUT] : subjects,
  };
}

function onBacklog(backlog: Backlog): Measurement {
  return {
    name: backlog.name,
    measure: (signal, former) =>
      withRuntime(signal, async (runtime) =>
        benchBacklog(runtime, await startKafka(runtime), { ...backlog, former }),
      ),
  };
}

function live(eventsPerSecond: number, format: LiveFormat): Measurement {
  const ports = { kafka: 0, flink: 0, dashboard: 0 };
  return {
    name: `live-${format === 'json' ? '' : 'avro-'}${eventsPerSecond}`,
    measure: (signal) =>
      inTemporaryFolder((stateDir) =>
        benchLive({ stateDir, ports, report: say, signal }, eventsPerSecond, format),
      ),
  };
}

/** Does the work with a runtime in a new folder, and removes both. */
function withRuntime<T>(signal: AbortSignal, work: (runtime: LocalRuntime) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (stateDir) => {
    const runtime = await startLocalRuntime(stateDir, say, signal);
    try {
      return await work(runtime);
    } finally {
      await runtime.close();
    }
  });
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gameanalytics-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function say(sentence: string): void {
  process.stderr.write(`  ${sentence}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
