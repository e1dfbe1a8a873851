import type { FlinkDeployment } from '../../plan/objects.ts';
import type { LiveObject } from '../kube/object.ts';

/** How a job does. */
export interface JobObservation {
  phase: 'stable' | 'failed' | 'pending';
  /** What the Flink operator says, in its words. */
  message: string;
}

/** The part of a FlinkDeployment's status that is read here. */
interface FlinkStatus {
  observedGeneration?: number;
  lifecycleState?: string;
  jobManagerDeploymentStatus?: string;
  error?: string;
  jobStatus?: { state?: string; jobId?: string };
}

/**
 * How a job does, by the status of its FlinkDeployment: the lifecycle alone can stay STABLE while the job
 * restarts.
 *
 * @param podTroubles what keeps its pods from running; empty when nothing does
 * @param isNew whether its revision was just applied: what was reported of the one before does not count
 */
export function observeJob(
  live: LiveObject,
  podTroubles: string,
  { isNew }: { isNew: boolean },
): JobObservation {
  const status = (live.status ?? {}) as FlinkStatus;
  if (isNew && (status.observedGeneration ?? 0) < (live.metadata.generation ?? 0))
    return { phase: 'pending', message: 'the Flink operator has not answered yet' };
  const { lifecycleState, jobManagerDeploymentStatus, jobStatus, error = '' } = status;
  // While the Flink operator upgrades, the state is still that of the job before.
  const state = lifecycleState === 'UPGRADING' ? undefined : jobStatus?.state;
  const states = [lifecycleState, jobManagerDeploymentStatus, state].filter(Boolean).join('/');
  const { job } = live.spec as Partial<FlinkDeployment['spec']>;
  const words = describeFlinkError(error, job?.args.at(-1) ?? '');
  const flink = [states || 'no status yet', words].filter(Boolean).join(': ');
  const message = [flink, podTroubles].filter(Boolean).join('. ');
  if (lifecycleState === 'FAILED' || state === 'FAILED') return { phase: 'failed', message };
  if (lifecycleState === 'STABLE' && state === 'RUNNING') return { phase: 'stable', message };
  return { phase: 'pending', message };
}

/** The job as Flink names it: its state and id. */
export function flinkJob(live: LiveObject): { state?: string; id?: string } {
  const { state, jobId } = ((live.status ?? {}) as FlinkStatus).jobStatus ?? {};
  return { ...(state && { state }), ...(jobId && { id: jobId }) };
}

/** An exception as the Flink operator writes it into a status: by default with its two outermost causes. */
interface FlinkException {
  message?: string;
  throwableList?: FlinkException[];
}

const MOST_CHARACTERS = 2_000;
const NOT_FOUND = /job not found/i;
const OF_SQL = /Failed to execute the script|SQL (?:parse|validation) failed|\b(?:query result and sink)\b/;
const SQL_ADVICE =
  'Run gameanalytics validate --sql on the manifest: it names the leaderboard, and the place in its SQL.';

/**
 * What the error of a FlinkDeployment's status says, in one sentence: its messages, the most specific first.
 * Of SQL that Flink does not take, it also says which leaderboard has it, where that is known, and what to
 * do. That a job is not found says nothing: it is so at every start, and sounds like a failure.
 *
 * @param error JSON of an exception, or plain text
 * @param script the SQL that the job runs
 */
export function describeFlinkError(error: string, script: string): string {
  const { message, throwableList = [] } = parseException(error);
  const outermostFirst = [message, ...throwableList.map((cause) => cause.message)].map(stripJava);
  const innermostFirst = outermostFirst.filter(Boolean).reverse();
  const repeats = (text: string, other: string) => text.includes(other) || other.includes(text);
  // A wrapper often repeats what it wraps.
  const parts = innermostFirst.filter(
    (text, i) => !innermostFirst.slice(0, i).some((one) => repeats(text, one)),
  );
  if (parts.some((part) => NOT_FOUND.test(part))) return '';
  const messages = parts.join('; ').slice(0, MOST_CHARACTERS);
  if (!OF_SQL.test(messages)) return messages;
  const sentence = `${messages}${locate(messages, script)}`;
  return `${sentence.replace(/\.?$/, '.')} ${SQL_ADVICE}`;
}

function parseException(error: string): FlinkException {
  try {
    const parsed = JSON.parse(error) as FlinkException | null;
    return typeof parsed === 'object' && parsed ? parsed : { message: error };
  } catch {
    return { message: error };
  }
}

function stripJava(message = ''): string {
  return (
    message
      .replace(/\n\s*at [\s\S]*/, '')
      // A SerializedThrowable has the class of what it wraps in its message.
      .replace(/^(?:(?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable)(?:: |$))+/, '')
      .replace(/: null$/, '')
      .replace(/\s+/g, ' ')
      .replace(/\.$/, '')
      .trim()
  );
}

function locate(messages: string, script: string): string {
  // Flink counts lines from the script's beginning.
  const line = Number(/\bline (\d+), column \d+/.exec(messages)?.[1] ?? 0);
  if (line > 0) {
    const lines = script.split('\n');
    const board = boardsIn(lines.slice(0, line)).at(-1);
    return board ? ` (leaderboard ${board}: ${lines[line - 1]?.trim()})` : '';
  }
  // Where it names no line, it may name the table that a statement fills.
  const table = /default_database[.`]+([\w-]+)/.exec(messages)?.[1];
  const board = boardsIn(script.split('\n')).find((name) => name === table);
  return board ? ` (leaderboard ${board})` : '';
}

function boardsIn(lines: string[]): string[] {
  return lines.flatMap((line) => /^INSERT INTO `([a-z0-9-]+)` /.exec(line)?.[1] ?? []);
}
