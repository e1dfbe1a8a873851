import { readdirSync, readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { TotalsBoard } from '../api/boards/shared-fields.ts';
import type { Step } from '../contract/calendar.ts';
import { CONTRACT_SQL } from './contract-sql.ts';

const FOLDER = new URL('../sql/', import.meta.url);
const SUFFIX = '.sql.hbs';

/** Longer than all time in integers of JSON's exact range: one season forever, planned like any other. */
const FOR_EVER = Number.MAX_SAFE_INTEGER;

const handlebars = Handlebars.create();
handlebars.registerHelper({
  string: (value: string) => raw(quote(value, "'")),
  /** An option of Kafka's client, as the connectors take it. */
  property: (name: string) => raw(quote(`properties.${name}`, "'")),
  identifier: (name: string) => raw(quote(name, '`')),
  identifiers: (names: string[]) => raw(names.map((name) => quote(name, '`')).join(', ')),
  /** A number as a string. */
  text: (value: number) => raw(quote(wholeNumber(value), "'")),
  integer: (value: number) => raw(wholeNumber(value)),
  interval: (value: number) => raw(`INTERVAL '${daysToSeconds(value)}' DAY TO SECOND`),
  duration: (value: number) => raw(`${wholeNumber(value / 1000)} s`),
  type: ({ type }: { type: string }) => raw(columnType(type)),
  columnType: (type: string) => raw(type),
  expression: (sql: string) => raw(sql),
  points: (sql: string, decimals: number) => raw(scoreUnits(`(\n${sql}\n    )`, decimals)),
  season: ({ seasonMillis, calendar }: Pick<TotalsBoard, 'seasonMillis' | 'calendar'>) =>
    raw(
      calendar
        ? '`$calendar_start`'
        : `event_time_millis - MOD(event_time_millis, ${wholeNumber(seasonMillis ?? FOR_EVER)})`,
    ),
  /** An expression that is computed in a step of its own. */
  computed(this: unknown, { fn }: Handlebars.HelperOptions) {
    return raw(computedFirst(fn(this)));
  },
  steps: (steps: Step[]) => raw(stepsByTime(steps)),
  where: (condition: string | undefined) => raw(restriction('WHERE', condition)),
  and: (condition: string | undefined) => raw(restriction('AND', condition)),
  /** The time at which a record came to Kafka; by the clock of its producer, at the latest now. */
  arrival: (column: string, isOwnTopic: boolean) => {
    const time = quote(column, '`');
    return raw(isOwnTopic ? `LEAST(${time}, CURRENT_ROW_TIMESTAMP())` : time);
  },
  comment: (text: string) => raw(text.replace(/[^ -~]/g, '?')),
});
const files = readdirSync(FOLDER, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith(SUFFIX))
  .map((file): [string, string] => [
    file.slice(0, -SUFFIX.length),
    readFileSync(new URL(file, FOLDER), 'utf8').replace(/\n$/, ''),
  ]);
const texts = [...files, ...Object.entries(CONTRACT_SQL)];
handlebars.registerPartial(Object.fromEntries(texts));
/** Templates of sessions, whose names begin so, add nothing to the script of a job. */
const SESSION = 'session/';

/**
 * A template of sql/, by its name there. Every value passes through a helper that quotes it; a test holds the
 * templates to that.
 *
 * @throws when rendered with a field missing, or with a number that is none
 */
export function template(name: string): Handlebars.TemplateDelegate {
  return handlebars.compile(`{{> ${name}}}`, { strict: true });
}

/** The statements of a job's templates and what they include, without comments and blank lines. */
export const TEMPLATES = texts
  .filter(([name]) => !name.startsWith(SESSION))
  .map(([, text]) => text)
  .join('\n')
  .replace(/^\s*(--.*|\{\{> session\/.*)?\n/gm, '');

/**
 * The same value, computed in a step of its own. From `score >= 0` on a column the planner knows that totals
 * only grow, and ranks them the fast way; from a condition on an expression it does not, and it would move
 * the expression into the condition. One that is not deterministic stays where it is.
 * (Nor would the planner be done in a minute with a condition on when the season of a calendar ends.)
 */
export function computedFirst(sql: string): string {
  return `CASE WHEN RAND() < 2 THEN ${sql} END`;
}

/** A score in units of its last decimal, as an integer; NULL when it is none. */
export function scoreUnits(sql: string, decimals: number): string {
  if (decimals === 0) return computedFirst(`TRY_CAST(${sql} AS BIGINT)`);
  return computedFirst(`TRY_CAST(${10 ** decimals} * TRY_CAST(${sql} AS ${scoreType(decimals)}) AS BIGINT)`);
}

/** The SQL type of a score, whose units fit into a BIGINT. */
export function scoreType(decimals: number): string {
  return decimals === 0 ? 'BIGINT' : `DECIMAL(18, ${decimals})`;
}

function raw(sql: string): Handlebars.SafeString {
  return new Handlebars.SafeString(sql);
}

/** A text or a name as a token of SQL. */
export function quote(value: string, mark: "'" | '`'): string {
  return mark + value.replaceAll(mark, mark + mark) + mark;
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number: ${value}`);
  return String(value);
}

/** The value of the step that an event's time is in, found by halving. */
function stepsByTime(steps: Step[]): string {
  const [first, ...others] = steps;
  if (!first) throw new RangeError('no steps');
  if (others.length === 0) return wholeNumber(first.value);
  const middle = Math.ceil(steps.length / 2);
  const [before, after] = [steps.slice(0, middle), steps.slice(middle)].map(stepsByTime);
  return `IF(event_time_millis < ${wholeNumber(steps[middle]!.from)}, ${before}, ${after})`;
}

/**
 * Milliseconds as an interval of whole seconds, such as 0 00:05:00. (A single unit would have to fit three
 * digits.)
 */
function daysToSeconds(value: number): string {
  const seconds = Number(wholeNumber(value / 1000));
  const clock = [seconds / 3600, seconds / 60, seconds].map(
    (part, i) => Math.floor(part) % (i === 0 ? 24 : 60),
  );
  return `${Math.floor(seconds / 86_400)} ${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
}

function columnType(type: string): string {
  if (!/^[A-Z]+$/.test(type)) throw new RangeError(`not a column type: ${type}`);
  return type;
}

/**
 * A condition of the resource, which the parser has checked. A comment may end it; the new line ends the
 * comment.
 */
function restriction(keyword: 'WHERE' | 'AND', condition: string | undefined): string {
  return condition === undefined ? '' : `\n  ${keyword} (\n${condition.trim()}\n  )`;
}
