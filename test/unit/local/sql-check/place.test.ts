import { describe, expect, it } from 'vitest';
import { placeWithin } from '../../../../local/sql-check/place.ts';

const QUERY = '  SELECT a\nFROM valid_events\n';
/** The query as the script has it: on lines of its own, and without the white space around it. */
const STATEMENT = 'INSERT INTO `top`\nSELECT * FROM (\nSELECT a\nFROM valid_events\n)';

describe('a place in a statement', () => {
  it('within the text is the same place in the text, counted with the white space around it', () => {
    expect(placeWithin(STATEMENT, { line: 3, column: 8 }, QUERY)).toEqual({ line: 1, column: 10 });
    expect(placeWithin(STATEMENT, { line: 4, column: 6 }, QUERY)).toEqual({ line: 2, column: 6 });
  });

  it('behind the text, with white space between, is the end of the text', () => {
    expect(placeWithin(STATEMENT, { line: 5, column: 1 }, QUERY)).toEqual({ line: 2, column: 18 });
  });

  it('before the text, or behind more than white space, is none of the text', () => {
    expect(placeWithin(STATEMENT, { line: 1, column: 3 }, QUERY)).toBeUndefined();
    expect(placeWithin(`${STATEMENT} WHERE b`, { line: 5, column: 9 }, QUERY)).toBeUndefined();
  });

  it('is none of a text that stands nowhere on lines of its own', () => {
    expect(placeWithin(STATEMENT, { line: 4, column: 6 }, 'SELECT')).toBeUndefined();
  });

  it('is of the text that stands last before it, when the text is there twice', () => {
    const twice = `${STATEMENT}\nUNION ALL\nSELECT a\nFROM valid_events\n`;
    expect(placeWithin(twice, { line: 8, column: 1 }, QUERY)).toEqual({ line: 2, column: 1 });
  });
});
