import type { Place } from '../flink/error.ts';

/**
 * Maps a place in a statement to a text that the statement contains on separate lines, except for the white
 * space around it. What is missing at the text's end Flink may notice only behind it: that counts as the end.
 * Undefined elsewhere.
 */
export function placeWithin(statement: string, place: Place, text: string): Place | undefined {
  const offset = toOffset(statement, place);
  const trimmed = text.trim();
  const start = `\n${statement}\n`.lastIndexOf(`\n${trimmed}\n`, offset);
  const end = start + trimmed.length;
  if (start < 0 || (offset > end && statement.slice(end, offset).trim() !== '')) return undefined;
  return toPlace(text, text.indexOf(trimmed) + Math.min(offset, end) - start);
}

function toOffset(text: string, { line, column }: Place): number {
  const linesBefore = text.split('\n').slice(0, line - 1);
  return linesBefore.reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
}

function toPlace(text: string, offset: number): Place {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
