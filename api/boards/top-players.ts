import { boardType } from './board-type.ts';
import { integerColumn, NEWEST_EVENT, PLACE, PLAYER, TEAM } from './columns.ts';
import { season, seasonMillis, seasonPeriod, type TotalsBoard, where } from './shared-fields.ts';

export interface TopPlayersBoard extends TotalsBoard {
  type: 'TopPlayers';
}

export const topPlayers = boardType<TopPlayersBoard>()({
  name: 'TopPlayers',
  summary: 'players by their total score',
  default: { name: 'top-players' },
  fields: { where, season },
  rules: [],
  resolve: (values) => ({ seasonMillis: seasonMillis(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, PLAYER, TEAM, integerColumn('total_score', 'Score'), NEWEST_EVENT],
    identity: ['user_id'],
    bar: 'total_score',
  }),
  template: 'top-players',
});
