import { hasTeams } from '../api/events.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type PeekedEvent, peek as readNewest, reasonText } from '../local/sql-session/peek.ts';
import { PIPELINE_HELP, PIPELINE_OPTIONS, usePipelineGateway } from './pipeline-gateway.ts';
import { cutToWidth, displayWidth, formatTable, type TableColumn } from './table.ts';
import { commandLine, UsageError } from './usage.ts';

const HELP = `gameanalytics peek FILE [options]

Prints the newest records of the events topic of a pipeline that runs on this machine: the message, the columns and the event
that Flink reads of it with the SQL of the job, and whether the event counts or why not. Ids are not masked.

  --records N             how many records, from 1 to 1000 (default: 20)
${PIPELINE_HELP}`;

const OPTIONS = { records: { type: 'string' }, ...PIPELINE_OPTIONS } as const;

/** Where the output is no terminal. */
const DEFAULT_WIDTH = 200;

export async function peek(args: string[]): Promise<void> {
  const line = commandLine(args, HELP, OPTIONS);
  if (!line) return;
  const { records = '20', ...values } = line.values;
  if (!/^[1-9][0-9]{0,2}$|^1000$/.test(records))
    throw new UsageError(`--records takes a number from 1 to 1000, not '${records}'`);
  await usePipelineGateway(line.file, values, async ({ gateway, resource, signal, ...place }) => {
    const events = await readNewest(gateway, resource, place, Number(records), signal);
    const width = process.stdout.isTTY ? process.stdout.columns : DEFAULT_WIDTH;
    process.stdout.write(formatPeeked(resource, events, width));
  });
}

/**
 * A table no wider than the terminal, if that has room for the least of each column, and below it why events
 * do not count.
 */
export function formatPeeked(resource: GameAnalytics, events: PeekedEvent[], width: number): string {
  if (events.length === 0) return 'The topic has no records.\n';
  const columns = peekColumns(resource).map((column) => ({ ...column, cells: events.map(column.value) }));
  const isLong = ({ isLong }: (typeof columns)[number]) => isLong === true;
  const taken = columns
    .filter((column) => !isLong(column))
    .map(({ name, cells }) => widest([name, ...cells]));
  const separators = 3 * (columns.length - 1);
  const left = width - separators - taken.reduce((sum, one) => sum + one, 0);
  const most = Math.max(LEAST_WIDTH, Math.floor(left / columns.filter(isLong).length));
  const cells = columns.map((column) =>
    isLong(column) ? column.cells.map((cell) => cell && cutToWidth(cell, most)) : column.cells,
  );
  const rows = events.map((_, row) => cells.map((column) => column[row] ?? null));
  return formatTable(columns, rows) + summary(events);
}

const LEAST_WIDTH = 12;
const ID_WIDTH = 16;

interface PeekColumn extends TableColumn {
  value(event: PeekedEvent): string | null;
  /** It is cut, so that the table fits. */
  isLong?: boolean;
}

function peekColumns({ spec }: GameAnalytics): PeekColumn[] {
  const text = { isNumber: false };
  const number = { isNumber: true };
  const id = (value: string | null) => value && cutToWidth(value, ID_WIDTH);
  /** Nothing where there is no event; NULL where it has none. */
  const ofEvent =
    (value: (event: NonNullable<PeekedEvent['event']>) => string | null) =>
    ({ event }: PeekedEvent) =>
      event ? value(event) : '';
  const { format, columns, fields } = spec.events;
  // The message is readable, and has the names of the event's fields.
  const isPlain = format !== 'avro-confluent' && columns === undefined && fields === undefined;
  return [
    { name: 'part', ...number, value: ({ partition }) => partition },
    { name: 'offset', ...number, value: ({ offset }) => offset },
    // Month, day, and the time to the second.
    { name: 'in Kafka', ...text, value: ({ producedAt }) => producedAt.slice(5, 19) },
    { name: 'message', ...text, isLong: true, value: ({ message }) => message },
    ...(isPlain ? [] : [{ name: 'decoded', ...text, isLong: true, value: ofEvent(({ record }) => record) }]),
    { name: 'user', ...text, value: ofEvent(({ user }) => id(user)) },
    ...(hasTeams(spec.events) ? [{ name: 'team', ...text, value: ofEvent(({ team }) => id(team)) }] : []),
    { name: 'score', ...number, value: ofEvent(({ score }) => score) },
    { name: 'happened', ...text, value: ofEvent(({ timeMillis }) => formatTime(timeMillis)) },
    { name: 'counts', ...text, value: ({ reason }) => (reason ? `no: ${reason}` : 'yes') },
  ];
}

/** In UTC, to the second; what is no time in milliseconds stays a number. */
function formatTime(millis: string | null): string | null {
  const isTime = millis !== null && /^[0-9]{12,13}$/.test(millis);
  return isTime ? new Date(Number(millis)).toISOString().slice(0, 19).replace('T', ' ') : millis;
}

function summary(events: PeekedEvent[]): string {
  const counted = events.filter(({ reason }) => reason === undefined).length;
  const reasons = Map.groupBy(
    events.flatMap(({ reason }) => reason ?? []),
    (reason) => reason,
  );
  const lines = [...reasons].map(
    ([reason, all]) =>
      `${all.length} ${all.length === 1 ? 'does' : 'do'} not count, ${reason}: ${reasonText(reason)}`,
  );
  return [`${counted} of ${events.length} count`, ...lines].map((line) => `${line}\n`).join('');
}

function widest(cells: (string | null)[]): number {
  return Math.max(...cells.map((cell) => displayWidth(cell === null ? 'NULL' : cell)));
}
