import { boardType } from './board-type.ts';
import { type ByBoard, byFields, byShape, resolveBy } from './by.ts';
import { NEWEST_EVENT, PLACE, PLAYER, TEAM } from './columns.ts';
import {
  resolveScore,
  type ScoredBoard,
  scoreColumns,
  scoreFields,
  scoreShape,
  scoreTemplateValues,
} from './score.ts';
import { conditionFields, resolveSeason, seasonFields, seasonPeriod } from './shared-fields.ts';

export interface TopPlayersBoard extends ScoredBoard, ByBoard {
  type: 'TopPlayers';
}

export const topPlayers = boardType<TopPlayersBoard>()({
  name: 'TopPlayers',
  summary: 'players by their score',
  default: { name: 'top-players' },
  fields: { ...conditionFields, ...seasonFields, ...scoreFields, ...byFields },
  rules: [],
  resolve: (values) => ({ ...resolveSeason(values), ...resolveScore(values), ...resolveBy(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, PLAYER, TEAM, ...scoreColumns(board), NEWEST_EVENT],
    identity: ['user_id'],
    ...scoreShape(board),
    ...byShape(board),
  }),
  template: 'top-players',
  templateValues: scoreTemplateValues,
});
