import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Leaderboard } from '../api/leaderboard.ts';
import { type Board, boards } from './boards.ts';
import { eventsTopic } from './topics.ts';

/**
 * The pipeline's Flink SQL script: settings, the events, one sink per board, and one statement set that fills them all.
 * Every value from the resource passes through a helper that quotes it; a test holds the templates to that.
 */
export function sqlScript(resource: GameAnalytics, bootstrapServers: string): string {
  const { name } = resource.metadata;
  const maxLatenessMillis = millis(resource.spec.events.maxLateness);
  const events = EVENTS({
    topic: eventsTopic(resource),
    bootstrapServers,
    group: `${name}-flink`,
    maxLatenessMillis,
  });
  return SCRIPT({
    name,
    stateTtl: `${stateTtlMillis(resource)} ms`,
    events,
    boards: boards(resource).map((board) => ({
      name: board.name,
      table: table(board, bootstrapServers),
      select: select(board.source, maxLatenessMillis),
    })),
  });
}

/**
 * How long an unchanged total is kept. A season that is open or last is at most two seasons old, so what is shown is
 * always exact, however long the job was away; another hour is for clocks. 0 (for ever) when a board has one season only.
 */
function stateTtlMillis(resource: GameAnalytics): number {
  const seasons = resource.spec.leaderboards.flatMap((board) => {
    if (board.type === 'Query') return [null];
    return 'seasonMillis' in board ? [board.seasonMillis] : [];
  });
  if (seasons.includes(null)) return 0;
  return 2 * Math.max(0, ...seasons.map(Number)) + millis('1h');
}

function table(board: Board, bootstrapServers: string): string {
  const template = board.period?.kind === 'instant' ? SNAPSHOTS : BOARD;
  return template({ ...board, bootstrapServers });
}

function select(board: Leaderboard, maxLatenessMillis: number): string {
  // A comment may end the query; the new line ends the comment.
  if (board.type === 'Query') return `${board.query.trim()}\n`;
  return SELECTS[board.type]({ ...board, maxLatenessMillis }).trim();
}

/** Longer than all time in integers of JSON's exact range: one season for ever, planned like any other. */
const FOR_EVER = Number.MAX_SAFE_INTEGER;

const handlebars = Handlebars.create();
handlebars.registerHelper({
  string: (value: string) => raw(quote(value, "'")),
  identifier: (name: string) => raw(quote(name, '`')),
  identifiers: (names: string[]) => raw(names.map((name) => quote(name, '`')).join(', ')),
  join: (names: string[]) => names.join(';'),
  integer: (value: number) => raw(wholeNumber(value)),
  interval: (value: number) => raw(`INTERVAL '${daysToSeconds(value)}' DAY TO SECOND`),
  duration: (value: number) => raw(`${wholeNumber(value / 1000)} s`),
  type: ({ type }: { type: string }) => raw(columnType(type)),
  season: (length: number | null) =>
    raw(`event_time_millis - MOD(event_time_millis, ${wholeNumber(length ?? FOR_EVER)})`),
  comment: (text: string) => raw(text.replace(/[^ -~]/g, '?')),
});

function raw(sql: string): Handlebars.SafeString {
  return new Handlebars.SafeString(sql);
}

function quote(value: string, mark: "'" | '`'): string {
  return mark + value.replaceAll(mark, mark + mark) + mark;
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number: ${value}`);
  return String(value);
}

/** Milliseconds as an interval of whole seconds, such as 0 00:05:00. (A single unit would have to fit three digits.) */
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

function template(name: string): Handlebars.TemplateDelegate {
  const text = readFileSync(new URL(`../sql/${name}.sql.hbs`, import.meta.url), 'utf8');
  return handlebars.compile(text, { strict: true });
}

const SCRIPT = template('script');
const EVENTS = template('events');
const BOARD = template('board');
const SNAPSHOTS = template('snapshots');
const SELECTS = {
  TopTeams: template('top-teams'),
  TopPlayers: template('top-players'),
  HotStreakers: template('hot-streakers'),
  TeamMvps: template('team-mvps'),
};
