import type { Row } from '../boards/record.ts';

/** How a row moved within the last minute, in signs for the eye and words for the ear. */
export interface Movement {
  kind: 'up' | 'down' | 'new' | 'none';
  sign: string;
  words: string;
}

const STAYED: Movement = { kind: 'none', sign: '', words: '' };

/** @param before the ranks of a minute ago, by the rows' ids; undefined when unknown */
export function describeMovement(
  { id, rank }: Row,
  before: ReadonlyMap<string, number> | undefined,
): Movement {
  if (!before) return STAYED;
  const was = before.get(id);
  if (was === undefined) return { kind: 'new', sign: 'new', words: 'new' };
  const places = Math.abs(was - rank);
  if (rank < was) return { kind: 'up', sign: `▲${places}`, words: `up ${places}` };
  if (rank > was) return { kind: 'down', sign: `▼${places}`, words: `down ${places}` };
  return STAYED;
}
