import type { Leaderboard } from '../../api/boards/types.ts';
import { RANK, SEASON_START } from '../../contract/board.ts';

/**
 * Refusals in terms of Flink's, each with a sentence that says in terms of the board what is wrong or what to
 * do.
 */
const ADVICE: [RegExp, (groups: string[], board: Leaderboard) => string][] = [
  [
    /do not match\. Cause: (.*?)\.? Query schema: \[(.*)\] Sink schema: \[(.*)\]/,
    ([cause, result = '', columns]) =>
      `its result does not have the board’s columns (${cause}): it is [${result.replaceAll(' NOT NULL', '')}], and columns says [${columns}]`,
  ],
  [
    /upsert key that differs from the primary key/,
    (_, board) =>
      `Flink cannot see that the board has one row for each ${rankKey(board).join(' and ')}: rank in a subquery with ROW_NUMBER() OVER (${partition(board)}ORDER BY …) AS ${RANK}, and keep WHERE ${RANK} <= ${board.size} of it`,
  ],
  [/Encountered "<EOF>"/, () => 'it ends where SQL has more to say'],
];

/** What to tell the person who wrote the SQL of a board that Flink refused with this message. */
export function advised(message: string, board: Leaderboard): string {
  for (const [pattern, sentence] of ADVICE) {
    const match = pattern.exec(message);
    if (match) return sentence(match.slice(1), board);
  }
  return message;
}

/** The columns by which a board has one row each. */
export function rankKey(board: Leaderboard): string[] {
  const columns = board.type === 'Query' ? board.columns.map(({ name }) => name) : [];
  return [SEASON_START, RANK].filter((name) => columns.includes(name));
}

function partition(board: Leaderboard): string {
  return rankKey(board).includes(SEASON_START) ? `PARTITION BY ${SEASON_START} ` : '';
}
