import type { BoardDefinition } from '../boards/definition.ts';
import type { Row } from '../boards/record.ts';

/*
 * A team keeps its colour on every board, through every season and on every replica: the colour is made of its name,
 * which is the one thing that all boards have of a team.
 */

/** The column that has the name of the team a row belongs to. */
const TEAM_COLUMN = 'team_name';

/** The style sheet has as many. */
const HUES = 12;
const SHADES = 2;

/** Which of the style sheet's colours. */
export interface TeamColour {
  hue: number;
  shade: number;
}

/** The colour of a row's team; null for a row of no team. */
export function teamColour(definition: BoardDefinition, row: Row): TeamColour | null {
  const shown = definition.columns.some(({ name }) => name === TEAM_COLUMN);
  const team = row.values.get(TEAM_COLUMN);
  if (!shown || team === null || team === undefined) return null;
  const hash = hashOf(String(team));
  return { hue: hash % HUES, shade: Math.floor(hash / HUES) % SHADES };
}

/** FNV-1a, finished as in MurmurHash: names that differ in one letter must not get neighbouring colours. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
