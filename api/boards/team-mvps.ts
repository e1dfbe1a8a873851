import { integer } from '../integer.ts';
import { boardType } from './board-type.ts';
import {
  decimalColumn,
  integerColumn,
  NEWEST_EVENT,
  ofScores,
  PLACE,
  PLAYER,
  TEAM,
  TEAM_ID,
} from './columns.ts';
import {
  conditionFields,
  resolveSeason,
  seasonFields,
  seasonPeriod,
  type TotalsBoard,
} from './shared-fields.ts';

export interface TeamMvpsBoard extends TotalsBoard {
  type: 'TeamMvps';
  /** How many events of a season a team needs to be ranked. */
  minimumEvents: number;
}

const DEFAULT_MINIMUM_EVENTS = 10;

export const teamMvps = boardType<TeamMvpsBoard>()({
  name: 'TeamMvps',
  summary: 'each team’s best player, by share of the team’s total',
  default: { name: 'team-mvps', title: 'Team MVPs' },
  ranksTeams: true,
  fields: {
    ...conditionFields,
    ...seasonFields,
    minimumEvents: {
      schema: integer(1, 1_000_000),
      description: `how many events of a season a team needs to be ranked. The share of a player in a team that has hardly played says little: of one event it is 100 %. Default ${DEFAULT_MINIMUM_EVENTS}.`,
    },
  },
  rules: [],
  resolve: (values) => ({
    minimumEvents: values.minimumEvents ?? DEFAULT_MINIMUM_EVENTS,
    ...resolveSeason(values),
  }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [
      PLACE,
      PLAYER,
      TEAM_ID,
      TEAM,
      ofScores(integerColumn('player_total', 'Points')),
      ofScores(integerColumn('team_total', 'Team total')),
      decimalColumn('contrib_ratio', 'Share', 'percent'),
      NEWEST_EVENT,
    ],
    identity: ['team_id'],
    bar: 'contrib_ratio',
  }),
  template: 'team-mvps',
});
