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

/** Whether the Flink operator only says that it has not found the job yet, as at every start. */
export function isJobNotFound(error: string): boolean {
  return messagesOf(error).some((message) => NOT_FOUND.test(message));
}

/**
 * What the error of a FlinkDeployment's status says, in one sentence: its messages, the most specific first.
 * Of SQL that Flink does not take, it also says which leaderboard has it, where that is known, and what to
 * do.
 *
 * @param error JSON of an exception, or plain text
 * @param script the SQL that the job runs
 */
export function describeFlinkError(error: string, script: string): string {
  const messages = messagesOf(error).join('; ').slice(0, MOST_CHARACTERS);
  if (!OF_SQL.test(messages)) return messages;
  const sentence = `${messages}${placeOf(messages, script)}`;
  return `${sentence.replace(/\.?$/, '.')} ${SQL_ADVICE}`;
}

function messagesOf(error: string): string[] {
  const { message, throwableList = [] } = parse(error);
  const outermostFirst = [message, ...throwableList.map((cause) => cause.message)].map(plain);
  const messages = outermostFirst.filter(Boolean).reverse();
  const repeats = (text: string, other: string) => text.includes(other) || other.includes(text);
  // A wrapper often repeats what it wraps.
  return messages.filter((text, i) => !messages.slice(0, i).some((other) => repeats(text, other)));
}

function parse(error: string): FlinkException {
  try {
    const parsed = JSON.parse(error) as FlinkException | null;
    return typeof parsed === 'object' && parsed ? parsed : { message: error };
  } catch {
    return { message: error };
  }
}

/**
 * Without the classes before it, which a SerializedThrowable has in its message, and without the stack behind
 * it.
 */
function plain(message = ''): string {
  return message
    .replace(/\n\s*at [\s\S]*/, '')
    .replace(/^(?:(?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable)(?:: |$))+/, '')
    .replace(/: null$/, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
    .trim();
}

/**
 * Flink counts lines from the script's beginning; where it names no line, it may name the table that a
 * statement fills.
 */
function placeOf(messages: string, script: string): string {
  const line = Number(/\bline (\d+), column \d+/.exec(messages)?.[1] ?? 0);
  if (line > 0) {
    const lines = script.split('\n');
    const board = boardsIn(lines.slice(0, line)).at(-1);
    return board ? ` (leaderboard ${board}: ${lines[line - 1]?.trim()})` : '';
  }
  const table = /default_database[.`]+([\w-]+)/.exec(messages)?.[1];
  const board = boardsIn(script.split('\n')).find((name) => name === table?.replace(/_history$/, ''));
  return board ? ` (leaderboard ${board})` : '';
}

/** The boards whose statements begin in these lines; the name of a history's table ends in _history. */
function boardsIn(lines: string[]): string[] {
  return lines.flatMap((line) => /^INSERT INTO `([a-z0-9-]+)(?:_history)?` /.exec(line)?.[1] ?? []);
}
