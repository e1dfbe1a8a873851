import type { BoardType, TypeFields } from './board-type.ts';
import { type HotStreakersBoard, hotStreakers } from './hot-streakers.ts';
import { type QueryBoard, queryType } from './query.ts';
import { type TeamMvpsBoard, teamMvps } from './team-mvps.ts';
import { type TopPlayersBoard, topPlayers } from './top-players.ts';
import { type TopTeamsBoard, topTeams } from './top-teams.ts';

/** A leaderboard with every default filled in and durations in milliseconds. */
export type Leaderboard = TopTeamsBoard | TopPlayersBoard | HotStreakersBoard | TeamMvpsBoard | QueryBoard;

export type { HotStreakersBoard, QueryBoard };

/** All types of leaderboard. */
export const BOARD_TYPES: readonly BoardType<Leaderboard, TypeFields>[] = [
  topTeams,
  topPlayers,
  hotStreakers,
  teamMvps,
  queryType,
];

export function getBoardType({ type }: { type: Leaderboard['type'] }): BoardType<Leaderboard, TypeFields> {
  const found = BOARD_TYPES.find(({ name }) => name === type);
  if (!found) throw new RangeError(`no type of leaderboard: ${type}`);
  return found;
}
