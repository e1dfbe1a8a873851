import { boardType } from './board-type.ts';
import { NEWEST_EVENT, PLACE, PLAYER, TEAM } from './columns.ts';
import {
  resolveScore,
  type ScoredBoard,
  scoreBar,
  scoreColumn,
  scoreFields,
  scoreTemplateValues,
} from './score.ts';
import { resolveSeason, seasonFields, seasonPeriod, where } from './shared-fields.ts';

export interface TopPlayersBoard extends ScoredBoard {
  type: 'TopPlayers';
}

export const topPlayers = boardType<TopPlayersBoard>()({
  name: 'TopPlayers',
  summary: 'players by their score',
  default: { name: 'top-players' },
  fields: { where, ...seasonFields, ...scoreFields },
  rules: [],
  resolve: (values) => ({ ...resolveSeason(values), ...resolveScore(values) }),
  shape: (board) => ({
    period: seasonPeriod(board),
    columns: [PLACE, PLAYER, TEAM, scoreColumn(board), NEWEST_EVENT],
    identity: ['user_id'],
    ...scoreBar(board),
  }),
  template: 'top-players',
  templateValues: scoreTemplateValues,
});
