import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSingleSelect } from '../../../api/query.ts';
import { statements, tokens } from '../../support/sql-tokens.ts';

describe('a single SELECT', () => {
  it.each([
    'SELECT 1',
    '  select user_id from valid_events',
    '-- best first\nSELECT 1',
    'WITH t AS (SELECT 1 AS x) SELECT x FROM t',
    "SELECT ';', 'it''s', '(' FROM t",
    'SELECT `a;b`, `c``d` FROM t',
    'SELECT 1 /* ; ( */ + 2',
    'SELECT 1 -- the end; (',
    "SELECT DATE'2026-01-01', ename'x' FROM t",
    'SELECT 1\r\nFROM t',
  ])('may be %j', (query) => {
    expect(isSingleSelect(query)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['another statement', 'DROP TABLE t'],
    ['a word that only begins like one', 'SELECTION 1'],
    ['two statements', 'SELECT 1; DROP TABLE t'],
    ['a semicolon at its end', 'SELECT 1;'],
    ['an open string', "SELECT 'a"],
    ['an open name', 'SELECT `a'],
    ['a name over two lines', 'SELECT `a\nb`'],
    ['an open comment', 'SELECT 1 /* a'],
    ['the end of a comment', 'SELECT 1 */ ; /*'],
    ['an open parenthesis', 'SELECT (1'],
    ['parentheses that close before they open', 'SELECT 1) + (2'],
    ['a double quote, in which the splitter sees no semicolon', 'SELECT "a"'],
    ['a // comment, which the splitter does not know', "SELECT 1 // '\n; DROP TABLE t // '"],
    ['a comment that a lone carriage return ends', 'SELECT 1 -- \r; DROP TABLE t'],
    ['an E string, in which a backslash quotes', "SELECT E'\\'' ; DROP TABLE t; --'"],
    ['an E string behind a number', "SELECT 1E'\\'' ; DROP TABLE t; --'"],
    ['a hint, whose quotes count', "SELECT 1 /*+ X('a'=' */ ') */ ; DROP TABLE t; -- '"],
    ['a comment that the splitter ends at once', "SELECT 1 /*/ ; DROP TABLE t; ' */ -- '"],
    ['a comment that the parser does not end at once', 'SELECT 1 /***/'],
    ['an asterisk right before a comment, which ends one for the parser', "SELECT */*'*/"],
    ['an asterisk right behind a comment, which opens another for the splitter', 'SELECT 1 /* a */* 2'],
  ])('is not %s', (_, query) => {
    expect(isSingleSelect(query)).toBe(false);
  });

  it('leaves the statements around it alone, both for the splitter of scripts and for the parser', () => {
    const after = "INSERT INTO after_it SELECT 'x';";
    fc.assert(
      fc.property(nastyText(), (text) => {
        fc.pre(isSingleSelect(text));
        const script = `INSERT INTO before_it\n${text}\n;\n${after}`;
        const read = tokens(script);
        expect(read.slice(-tokens(after).length)).toEqual(tokens(after));
        expect(count(read, ';')).toBe(2);
        expect(count(read, '(')).toBe(count(read, ')'));
        expect(statements(script).map((statement) => statement.trim())[1]).toBe(after);
      }),
      { numRuns: 10_000, maxSkipsPerRun: 1_000 },
    );
  });
});

function count(read: ReturnType<typeof tokens>, symbol: string): number {
  return read.filter(({ kind, text }) => kind === 'symbol' && text === symbol).length;
}

/** Text made of what opens, closes and separates, with a little between. */
function nastyText(): fc.Arbitrary<string> {
  const openers = ["'", "''", '"', '`', '--', '/*', '*/', '/*+', '/**', '//', '(', ')', "E'", "\\'", '\\'];
  const others = [';', '\n', '\r', ' ', 'x', '1', 'e', '*', '/', '-', ' DROP TABLE t '];
  return fc
    .array(fc.constantFrom(...openers, ...others), { maxLength: 12 })
    .map((parts) => `SELECT ${parts.join('')}`);
}
