import { boardType } from './board-type.ts';
import { type ByBoard, byFields, byShape, resolveBy } from './by.ts';
import { NEWEST_EVENT, PLACE, TEAM, TEAM_ID } from './columns.ts';
import {
  resolveScore,
  type ScoredBoard,
  scoreColumns,
  scoreFields,
  scoreShape,
  scoreTemplateValues,
} from './score.ts';
import { conditionFields, resolveSeason, seasonFields, seasonPeriod } from './shared-fields.ts';

export interface TopTeamsBoard extends ScoredBoard, ByBoard {
  type: 'TopTeams';
}

export const topTeams = boardType<TopTeamsBoard>()({
  name: 'TopTeams',
  summary: 'teams by their score',
  default: { name: 'top-teams' },
  ranksTeams: true,
  fields: { ...conditionFields, ...seasonFields, ...scoreFields, ...byFields },
  rules: [],
  resolve: (values) => ({ ...resolveSeason(values), ...resolveScore(values), ...resolveBy(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, TEAM_ID, TEAM, ...scoreColumns(board), NEWEST_EVENT],
    identity: ['team_id'],
    ...scoreShape(board),
    ...byShape(board),
  }),
  template: 'top-teams',
  templateValues: scoreTemplateValues,
});
