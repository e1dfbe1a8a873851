import { type BoardDefinition, boardDefinition } from '../../../contract/board.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';

export const HOUR = 3_600_000;
/** Twenty minutes into a season. */
export const NOW = 490_000 * HOUR + 20 * 60_000;
export const SEASON = 490_000 * HOUR;

/** Names the definition of all boards here. */
export const DIGEST = 'd1';

/** As the plan writes it into DASHBOARD_BOARDS. */
export const TOP_TEAMS_JSON = {
  name: 'top-teams',
  title: 'Top Teams',
  topic: 'arcade-top-teams',
  digest: DIGEST,
  size: 3,
  period: { kind: 'season', lengthMillis: HOUR },
  identity: ['team_id'],
  columns: [
    { name: 'team_name', label: 'Team', type: 'text' },
    { name: 'total_score', label: 'Score', type: 'integer' },
  ],
  bar: 'total_score',
  lastEvent: 'last_event_at',
};

export const topTeams: BoardDefinition = boardDefinition.parse(TOP_TEAMS_JSON);

export const streakers: BoardDefinition = boardDefinition.parse({
  ...TOP_TEAMS_JSON,
  name: 'hot-streakers',
  title: 'Hot Streakers',
  period: { kind: 'instant', everyMillis: 5000 },
  identity: ['user_id'],
  columns: [
    { name: 'user_id', label: 'Player', type: 'text' },
    { name: 'peak_hotness', label: 'Peak', type: 'decimal' },
  ],
  bar: 'peak_hotness',
  lastEvent: undefined,
});

export const allTime: BoardDefinition = boardDefinition.parse({ ...TOP_TEAMS_JSON, period: undefined });

/** The teams’ board of people alone. */
export const peopleTeams: BoardDefinition = boardDefinition.parse({
  ...TOP_TEAMS_JSON,
  name: 'teams-of-people',
  title: 'Teams of People',
  topic: 'arcade-teams-of-people',
  peopleOf: 'top-teams',
});

/** A record as Flink writes it; without a value, a tombstone. */
export function record(key: object, value: object | null, timestampMillis = NOW): KafkaRecord {
  return {
    key: Buffer.from(JSON.stringify(key)),
    value: value && Buffer.from(JSON.stringify({ ...key, ...value })),
    timestampMillis,
  };
}

/** The board of a season, 0 without seasons; the rows are in the order of their ranks. */
export function season(rows: object[], season_start = SEASON, timestampMillis = NOW): KafkaRecord {
  return record({ season_start }, { digest: DIGEST, rows: ranked(rows) }, timestampMillis);
}

/** The board of an instant; the rows are in the order of their ranks. */
export function instant(rows: object[], as_of = NOW, timestampMillis = as_of): KafkaRecord {
  return record({ season_start: 0 }, { digest: DIGEST, as_of, rows: ranked(rows) }, timestampMillis);
}

function ranked(rows: object[]): object[] {
  return rows.map((row, index) => ({ rnk: index + 1, ...row }));
}

export const COUNTRIES_JSON = {
  ...TOP_TEAMS_JSON,
  name: 'countries',
  title: 'Countries',
  topic: 'arcade-countries',
  by: { name: 'country', label: 'Country', maxValues: 3 },
};

/** A board by value, which keeps three of them. */
export const countries: BoardDefinition = boardDefinition.parse(COUNTRIES_JSON);

/** The board of a season's value. */
export function ofValue(
  value: string,
  rows: object[],
  season_start = SEASON,
  timestampMillis = NOW,
): KafkaRecord {
  return record({ season_start, value }, { digest: DIGEST, rows: ranked(rows) }, timestampMillis);
}

/** A row of Top Teams. */
export function team(id: string, total_score: number, last_event_at = NOW): object {
  return { team_id: id, team_name: `Team ${id}`, total_score, last_event_at };
}

/** A row of Hot Streakers. */
export function player(user_id: string, peak_hotness = 1): object {
  return { user_id, peak_hotness };
}

export function tombstone(season_start = SEASON, timestampMillis = NOW): KafkaRecord {
  return record({ season_start }, null, timestampMillis);
}

export function boardOf(definition: BoardDefinition, records: KafkaRecord[], now = NOW): Board {
  const board = new Board(definition);
  for (const one of records) board.apply(one, now);
  return board;
}

/** A board that has been read to its end. */
export function liveBoardOf(definition: BoardDefinition, records: KafkaRecord[]): LiveBoard {
  const live = new LiveBoard(definition);
  live.publish(boardOf(definition, records));
  return live;
}

/** Who stands where, as `rank:team`. */
export function standings(board: Board, now = NOW): string[] {
  return board
    .view(now)
    .rows.map((row) => `${row.rank}:${row.values.get('team_id') ?? row.values.get('user_id')}`);
}
