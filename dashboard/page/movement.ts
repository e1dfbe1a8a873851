import type { RankSnapshot } from '../boards/rank-history.ts';
import type { Row } from '../boards/record.ts';

/** How a row moved within the last minute, in signs for the eye and words for the ear. */
export interface Movement {
  kind: 'up' | 'down' | 'new' | 'none';
  sign: string;
  words: string;
}

const STAYED: Movement = { kind: 'none', sign: '', words: '' };

/** @param before how the board stood a minute ago; undefined when unknown */
export function describeMovement(
  { id, rank }: Row,
  before: Pick<RankSnapshot, 'ranks'> | undefined,
): Movement {
  if (!before) return STAYED;
  const was = before.ranks.get(id);
  if (was === undefined) return { kind: 'new', sign: 'new', words: 'new' };
  const places = Math.abs(was - rank);
  if (rank < was) return { kind: 'up', sign: `▲${places}`, words: `up ${places}` };
  if (rank > was) return { kind: 'down', sign: `▼${places}`, words: `down ${places}` };
  return STAYED;
}
