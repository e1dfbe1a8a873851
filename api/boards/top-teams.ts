import { boardType } from './board-type.ts';
import { integerColumn, NEWEST_EVENT, PLACE, TEAM, TEAM_ID } from './columns.ts';
import { season, seasonMillis, seasonPeriod, type TotalsBoard, where } from './shared-fields.ts';

export interface TopTeamsBoard extends TotalsBoard {
  type: 'TopTeams';
}

export const topTeams = boardType<TopTeamsBoard>()({
  name: 'TopTeams',
  summary: 'teams by their total score',
  default: { name: 'top-teams' },
  ranksTeams: true,
  fields: { where, season },
  rules: [],
  resolve: (values) => ({ seasonMillis: seasonMillis(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, TEAM_ID, TEAM, integerColumn('total_score', 'Score'), NEWEST_EVENT],
    identity: ['team_id'],
    bar: 'total_score',
  }),
  template: 'top-teams',
});
