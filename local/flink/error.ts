/** A place in a statement; both count from 1. A tab is one column, and so is each UTF-16 unit. */
export interface Place {
  line: number;
  column: number;
}

/** Why Flink refused something. */
export interface FlinkCause {
  /** Flink's words on one line, without the place. */
  message: string;
  /** Where in the statement, when Flink says so. */
  place?: Place;
}

/** An exception in a stack trace: its class, and what is behind that up to the first line of its stack. */
const CAUSE = /^Caused by: ([\w.$]+)(?:: ([\s\S]*?))?(?=\n\s+(?:at |\.\.\. )|$(?![\s\S]))/gm;
const PLACE = /\bline (\d+), column (\d+)/;
/** The gateway wraps errors in its own exceptions, which add nothing. */
const GATEWAY = 'org.apache.flink.table.gateway.';

/**
 * What a Java stack trace gives as causes: the innermost that names a place, or else the outermost with the
 * innermost.
 */
export function parseCause(trace: string): FlinkCause {
  const causes = [...trace.matchAll(CAUSE)].flatMap(([, type = '', message]) =>
    message && !type.startsWith(GATEWAY) ? message : [],
  );
  const [outermost = trace.split('\n\tat ')[0] ?? ''] = causes;
  const innermost = causes.at(-1) ?? '';
  const ends = outermost.includes(innermost) ? outermost : `${outermost} ${innermost}`;
  const text = causes.findLast((cause) => PLACE.test(cause)) ?? ends;
  const [, line, column] = PLACE.exec(text) ?? [];
  return { message: plain(text), ...(line && { place: { line: Number(line), column: Number(column) } }) };
}

function plain(text: string): string {
  return (
    text
      .replace(/\s*Was expecting[\s\S]*/, '')
      // The place has other numbers in the query.
      .replace(/^[\s\S]*?\b(?:From|At) line \d+, column \d+(?: to line \d+, column \d+)?: /, '')
      .replace(/ at line \d+, column \d+\.?/, '')
      .replace(/^SQL (?:parse|validation) failed\. /, '')
      // Where a query fails while it runs.
      .replace(/^Failed to fetch next result\s+/, '')
      .replace(/\s*End of exception on server side>/, '')
      .replace(/\s+/g, ' ')
      .trim()
  );
}

/**
 * A trace's head, or one of its causes: the class of the exception without its package, and the first line of
 * its message.
 */
const HEAD = /^(?:Caused by: )?(?:[\w$]+\.)*([\w$]+)(?:: (.*))?/;

/** A cause may quote a whole message. */
const MOST_CHARACTERS = 300;

/** The innermost cause of a Java stack trace, in one line, cut short. */
export function rootCause(trace: string): string {
  const line = trace.match(/^Caused by: .*$/gm)?.at(-1) ?? trace.split('\n')[0] ?? '';
  const [, type = '', message = ''] = HEAD.exec(line) ?? [];
  return [type, message.trim()].filter(Boolean).join(': ').slice(0, MOST_CHARACTERS);
}
