import type { GameAnalytics } from '../api/gameanalytics.ts';
import { DUPLICATE, FROZEN } from '../contract/stats.ts';
import { layOut } from './layout.ts';
import { sessionGroup, withoutAuthentication } from './session.ts';
import { distinctSeasons, eventTables, planScan, statsTables } from './sql.ts';
import { quote, template } from './sql-template.ts';

/** Offsets of a partition: from the first to be read to the one after the last. */
export interface PartitionSlice {
  partition: number;
  start: number;
  end: number;
}

/**
 * A script that defines the view `peeked`: the newest messages of the events topic, each with the events that
 * the job decodes of it, and why those do not count that do not.
 *
 * @param bootstrapServers of a listener without authentication
 * @param slices what is read of each partition
 * @param records how many messages
 */
export function peekScript(
  resource: GameAnalytics,
  bootstrapServers: string,
  slices: PartitionSlice[],
  records: number,
): string {
  const open = withoutAuthentication(resource);
  const group = sessionGroup(resource);
  const scan = { ...planScan(open, bootstrapServers, 1), isSession: true, isPeek: true, group };
  const { columns, otherColumns } = scan.mapping;
  const record = columns.map(({ name }) => quote(name, '`')).join(', ');
  // Where a record is, and all of it: in the form of columns, which the views pass on.
  const more = [
    { name: '$partition', type: "INT METADATA FROM 'partition' VIRTUAL" },
    { name: '$offset', type: "BIGINT METADATA FROM 'offset' VIRTUAL" },
    { name: '$record', type: `AS ROW(${record})` },
  ];
  const mapping = {
    ...scan.mapping,
    columns: [...columns, ...more],
    otherColumns: [...otherColumns, ...more.map(({ name }) => name)],
  };
  const offsets = (offset: 'start' | 'end') =>
    slices.map((slice) => `partition:${slice.partition},offset:${slice[offset]}`).join(';');
  return PEEK({
    ...scan,
    name: resource.metadata.name,
    events: eventTables({ ...scan, mapping }),
    statsTables: statsTables(open, scan),
    starts: offsets('start'),
    ends: offsets('end'),
    records,
    seasons: distinctSeasons(layOut(open)),
    duplicate: DUPLICATE.id,
    frozen: FROZEN.id,
  });
}

const PEEK = template('session/peek');
