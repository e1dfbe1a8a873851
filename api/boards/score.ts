import { z } from 'zod';
import type { RowColumn } from '../../contract/board.ts';
import { type EventTraits, SCORE } from '../../contract/event.ts';
import { isSafeExpression, SAFE_EXPRESSION } from '../query.ts';
import type { Rule } from '../rule.ts';
import type { BoardShape, TypeField, Values } from './board-type.ts';
import { integerColumn, ofScores, REACHED } from './columns.ts';
import { EVENT_COLUMNS, type TotalsBoard } from './shared-fields.ts';

/* What a board of scores makes of the events of a player or a team. */

/** By the name of the score: the heading of its column. */
const HEADINGS = { Sum: 'Score', Best: 'Best', Lowest: 'Lowest', Latest: 'Latest', Count: 'Events' };

type Score = keyof typeof HEADINGS;

const SCORES = Object.keys(HEADINGS) as [Score, ...Score[]];

/** A board that ranks by a score. */
export interface ScoredBoard extends TotalsBoard {
  /** Not set: Sum. */
  score?: Exclude<Score, 'Sum'>;
  /** Whether equal scores are shown with one rank. Not set: no. */
  shareRanks?: true;
  /** How equal scores are ordered. Not set: by id. */
  ties?: 'FirstToReach';
  /** SQL of an event's value, which stays inside parentheses on lines of its own. Not set: its score. */
  of?: string;
}

const score: TypeField<z.ZodEnum<Record<Score, Score>>> = {
  schema: z.enum(Object.fromEntries(SCORES.map((name) => [name, name])) as Record<Score, Score>),
  description:
    'what is ranked of the values of a player’s or a team’s events. Sum, Best and Latest (that of the newest event; of several, the greatest): the greatest first. Lowest: the smallest first. Count: how many events have a value. Latest, and a Sum where events.negativeScores is Correct, take more CPU, because they can fall. Default Sum.',
};

/** A value is none that JSON cannot carry exactly, like a score. */
const MOST = SCORE.most;

const of: TypeField<z.ZodString> = {
  schema: z.string().min(1).max(2000),
  description: `a SQL expression that gives an event’s value, such as CHAR_LENGTH(team_name). Its columns are those of the view valid_events (${EVENT_COLUMNS}). It is cast to BIGINT, which drops decimals, or with events.scoreDecimals rounded to as many. An event without a value does not count for this board: NULL, what is no number, beyond ±${MOST}, or below 0 in a Sum, unless events.negativeScores is Correct. Default: the event’s score.`,
  rules: [{ message: `of must be ${SAFE_EXPRESSION}`, holds: isSafeExpression }],
};

const shareRanks: TypeField<z.ZodBoolean> = {
  schema: z.boolean(),
  description:
    'whether the dashboard and the HTTP API give equal scores one rank (1, 2, 2, 4). In the topic, ties decides. Default false.',
};

const ties: TypeField<z.ZodEnum<{ Id: 'Id'; FirstToReach: 'FirstToReach' }>> = {
  schema: z.enum(['Id', 'FirstToReach']),
  description:
    'which of equal scores stands first. Id: that of the smallest id. FirstToReach: the one that was reached first, by the times of events, and of those of the same millisecond, that of the smallest id; with shareRanks, they share a rank and stand in this order. It is not for Latest. A Sum or a Count takes twice the CPU with it. Default Id.',
};

export const scoreFields = { score, of, shareRanks, ties };

interface Scored extends Values<typeof scoreFields> {
  size?: number;
}

export const scoreRules: Rule<Scored>[] = [
  {
    cel: "!(has(self.ties) && self.ties == 'FirstToReach' && has(self.score) && self.score == 'Latest')",
    message: 'ties: FirstToReach is not for score: Latest, which may be reached more than once',
    holds: ({ score, ties }) => !(ties === 'FirstToReach' && score === 'Latest'),
  },
];

export function resolveScore(
  values: Values<typeof scoreFields>,
): Pick<ScoredBoard, 'score' | 'of' | 'shareRanks' | 'ties'> {
  const { score = 'Sum', of, shareRanks, ties } = values;
  return {
    ...(score !== 'Sum' && { score }),
    ...(of !== undefined && { of }),
    ...(shareRanks && { shareRanks }),
    ...(ties === 'FirstToReach' && { ties }),
  };
}

const TOTAL = 'total_score';

export function scoreColumns({ score, ties }: ScoredBoard): RowColumn[] {
  const total = integerColumn(TOTAL, HEADINGS[score ?? 'Sum']);
  return [score === 'Count' ? total : ofScores(total), ...(ties ? [REACHED] : [])];
}

/**
 * What a score means to the shape of a board. There is no bar where the leader's would be the shortest.
 */
export function scoreShape({ score, shareRanks }: ScoredBoard): Pick<BoardShape, 'bar' | 'rankedBy'> {
  return { ...(score !== 'Lowest' && { bar: TOTAL }), ...(shareRanks && { rankedBy: TOTAL }) };
}

/** What the SELECTs of boards of scores are rendered with. */
export function scoreTemplateValues({ score, of, ties }: ScoredBoard, { hasCorrections }: EventTraits) {
  const isSum = score === undefined;
  const isFirstToReach = ties === 'FirstToReach';
  return {
    of: of?.trim(),
    // By the bound of a sum the planner knows that it only grows.
    least: isSum && !hasCorrections ? SCORE.least : -MOST,
    most: MOST,
    canFall: score === 'Latest' || (isSum && hasCorrections),
    isCount: score === 'Count',
    isBest: score === 'Best',
    isLowest: score === 'Lowest',
    isLatest: score === 'Latest',
    isFirstToReach,
    /** Whether the score is made of several events, so that it is reached by one of them only with others. */
    accumulates: isFirstToReach && (score === undefined || score === 'Count'),
    hasNewness: isFirstToReach || score === 'Latest',
  };
}
