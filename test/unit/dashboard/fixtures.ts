import { Board } from '../../../dashboard/boards/board.ts';
import { type BoardDefinition, boardDefinition } from '../../../dashboard/boards/definition.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import type { RawRecord } from '../../../dashboard/boards/record.ts';

export const HOUR = 3_600_000;
/** Twenty minutes into a season. */
export const NOW = 490_000 * HOUR + 20 * 60_000;
export const SEASON = 490_000 * HOUR;

/** As the plan writes it into DASHBOARD_BOARDS. */
export const TOP_TEAMS_JSON = {
  name: 'top-teams',
  title: 'Top Teams',
  topic: 'arcade-top-teams',
  size: 3,
  period: { kind: 'season', column: 'season_start', lengthMillis: HOUR },
  identity: ['team_id'],
  columns: [
    { name: 'team_name', label: 'Team', type: 'text' },
    { name: 'total_score', label: 'Score', type: 'integer' },
  ],
  bar: 'total_score',
};

export const topTeams: BoardDefinition = boardDefinition.parse(TOP_TEAMS_JSON);

export const streakers: BoardDefinition = boardDefinition.parse({
  ...TOP_TEAMS_JSON,
  name: 'hot-streakers',
  title: 'Hot Streakers',
  period: { kind: 'instant', column: 'as_of', everyMillis: 5000 },
  identity: ['user_id'],
  columns: [
    { name: 'user_id', label: 'Player', type: 'text' },
    { name: 'peak_hotness', label: 'Peak', type: 'decimal' },
  ],
  bar: 'peak_hotness',
});

export const allTime: BoardDefinition = boardDefinition.parse({ ...TOP_TEAMS_JSON, period: null });

/** A record as Flink's upsert-kafka writes it; without a value, a tombstone. */
export function record(key: object, value: object | null, timestampMillis = NOW): RawRecord {
  return {
    key: Buffer.from(JSON.stringify(key)),
    value: value && Buffer.from(JSON.stringify({ ...key, ...value })),
    timestampMillis,
  };
}

/** Team `id` at a rank of a season. */
export function team(rnk: number, id: string, total_score: number, season_start = SEASON): RawRecord {
  return record({ season_start, rnk }, { team_id: id, team_name: `Team ${id}`, total_score });
}

export function vacant(rnk: number, season_start = SEASON): RawRecord {
  return record({ season_start, rnk }, null);
}

export function boardOf(definition: BoardDefinition, records: RawRecord[], now = NOW): Board {
  const board = new Board(definition);
  for (const one of records) board.apply(one, now);
  return board;
}

/** A board that has been read to its end. */
export function liveBoardOf(definition: BoardDefinition, records: RawRecord[]): LiveBoard {
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
