import type { Broker } from '../../local/kafka.ts';
import type { Workshop } from '../../local/workshop.ts';
import { writeBacklog } from './backlog.ts';
import { type Outcome, runJobs } from './flink-job.ts';
import { markdownTable, megabytes, short } from './markdown.ts';
import { baseline, product, type Subject, type SubjectOptions } from './subjects.ts';

/** A backlog of events, and what reads it. */
export interface Backlog {
  name: string;
  title: string;
  players: number;
  events: number;
  stateBackend: SubjectOptions['stateBackend'];
  subjects: SubjectName[];
  /** After this much processor time a run is ended, in seconds. */
  limitCpuSeconds: number;
}

export type SubjectName = keyof typeof SUBJECTS;

type Make = (broker: Broker, options: SubjectOptions) => Promise<Subject>;

const TOTALS = [
  { name: 'top-teams', type: 'TopTeams' },
  { name: 'top-players', type: 'TopPlayers' },
];

const SUBJECTS = {
  'the four boards': product,
  'the two total boards': (broker: Broker, options: SubjectOptions) =>
    product(broker, { ...options, leaderboards: TOTALS }),
  'baseline, mini-batches': (broker: Broker, options: SubjectOptions) => baseline(broker, options, true),
  'baseline, Flink’s defaults': (broker: Broker, options: SubjectOptions) => baseline(broker, options, false),
} satisfies Record<string, Make>;

const SEED = 1;

/** Writes a backlog and has each subject read it, one after the other. Returns a Markdown table. */
export async function benchBacklog(workshop: Workshop, broker: Broker, backlog: Backlog): Promise<string> {
  const { name, title, players, events, subjects } = backlog;
  workshop.report(`${name}: writing ${short(events)} events`);
  await writeBacklog(broker, name, { seed: SEED, players, events }, workshop.signal);
  const outcomes: [SubjectName, Outcome | Error][] = [];
  for (const [index, subject] of subjects.entries()) {
    workshop.report(`${name}: ${subject}`);
    outcomes.push([subject, await run(workshop, broker, backlog, index)]);
  }
  await broker.admin.deleteTopics({ topics: [name] });
  return `### ${title}, ${short(events)} events\n\n${table(outcomes)}`;
}

/** One subject's run. That a job could not do it is a result too. */
async function run(
  workshop: Workshop,
  broker: Broker,
  { name, events, stateBackend, subjects, limitCpuSeconds }: Backlog,
  index: number,
): Promise<Outcome | Error> {
  const make: Make = SUBJECTS[subjects[index]!];
  for (let attempt = 1; ; attempt++) {
    // A name of its own, or a second attempt would go on from the first one's checkpoint.
    const subject = await make(broker, { run: `${name}-${index}-${attempt}`, events: name, stateBackend });
    try {
      return await runJobs(workshop, { ...subject, backlog: events, limitCpuSeconds });
    } catch (error) {
      workshop.signal.throwIfAborted();
      workshop.report((error as Error).message);
      if (attempt === ATTEMPTS || !PAUSED_AT_ITS_END.test((error as Error).message)) return error as Error;
    }
  }
}

/**
 * Flink's Kafka source may fail when watermark alignment pauses a partition that has just been read to its bound. That comes
 * of the bound, which only a benchmark sets: the run is done again.
 */
const PAUSED_AT_ITS_END = /No current assignment for partition/;
const ATTEMPTS = 3;

const HEAD = [
  'job',
  'CPU s per million',
  'of it JIT',
  'events/s',
  'events/s per core',
  'read',
  'peak RSS TM + JM',
  'state',
  'checkpoint',
  'CPU, times the first row',
];

function table(outcomes: [SubjectName, Outcome | Error][]): string {
  const first = outcomes[0]?.[1];
  const rows = outcomes.map(([subject, outcome]) =>
    outcome instanceof Error ? failedRow(subject, outcome) : row(subject, outcome, first),
  );
  return markdownTable(HEAD, rows);
}

function row(subject: SubjectName, outcome: Outcome, first: Outcome | Error | undefined): string[] {
  const { finished, events, seconds, cpuSeconds, compilerCpuSeconds, checkpoints } = outcome;
  const ratio =
    first === undefined || first instanceof Error ? Number.NaN : perMillion(outcome) / perMillion(first);
  return [
    subject,
    perMillion(outcome).toFixed(1),
    ((1e6 * compilerCpuSeconds) / events).toFixed(1),
    short(events / seconds),
    short(events / cpuSeconds),
    finished ? short(events) : `${short(events)}, did not finish`,
    `${megabytes(outcome.taskManagerPeakBytes)} + ${megabytes(outcome.jobManagerPeakBytes)}`,
    checkpoints ? megabytes(checkpoints.stateBytes) : '',
    checkpoints ? `${checkpoints.millis.toFixed(0)} ms` : 'none',
    ratio.toFixed(1),
  ];
}

function failedRow(subject: SubjectName, { message }: Error): string[] {
  const cells = HEAD.map(() => '');
  return [subject, `failed: ${message.split('\n')[0]}`, ...cells.slice(2)];
}

function perMillion({ cpuSeconds, events }: Outcome): number {
  return cpuSeconds / (events / 1e6);
}
