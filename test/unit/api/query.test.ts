import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSafeExpression, isSingleCondition, isSingleSelect } from '../../../api/query.ts';
import { statements, tokens } from '../../../testkit/resources/sql-tokens.ts';

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
    ['a string before one', "'a' SELECT 1"],
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
      fc.property(nastyText(), (nasty) => {
        const text = `SELECT ${nasty}`;
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

describe('a single condition', () => {
  it.each([
    'TRUE',
    "user_id NOT LIKE 'RBT%'",
    "team_name LIKE 'EU %' -- Europe; (",
    "/* ; ( */ `team_id` = 'it''s ;) --'",
    '(score > 3 OR score = 0) AND CHAR_LENGTH(user_id) IN (3, 4)',
    "-- people\nuser_id <> ''\n",
    "team_name = 'Zürich 🎮'",
    "'open' = team_name",
    '`is_open`',
  ])('may be %j', (text) => {
    expect(isSingleCondition(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['space', ' \n\t'],
    ['a comment', '-- TRUE'],
    ['comments', '/* TRUE */ -- TRUE'],
    ['a parenthesis that closes those around it', 'TRUE)'],
    ['parentheses that close before they open', 'TRUE) OR (TRUE'],
    ['an open parenthesis', '(TRUE'],
    ['two statements', 'TRUE; DROP TABLE t'],
    ['a semicolon at its end', 'TRUE;'],
    ['an open string', "user_id = 'a"],
    ['an open name', '`user_id'],
    ['an open comment', 'TRUE /* a'],
    ['the end of a comment', 'TRUE */'],
    ['a double quote', 'user_id = "a"'],
    ['a // comment', 'TRUE // a'],
    ['a comment that a lone carriage return ends', 'TRUE -- \r) OR (TRUE'],
    ['a string over a lone carriage return', "user_id = '\r'"],
    ['an E string', "user_id = E'\\') OR (user_id = '"],
    ['a hint', "/*+ X('a') */ TRUE"],
    ['a comment that the parser does not end at once', 'TRUE /***/'],
  ])('is not %s', (_, text) => {
    expect(isSingleCondition(text)).toBe(false);
  });

  it('leaves the statement around it alone, both for the splitter of scripts and for the parser', () => {
    fc.assert(
      fc.property(nastyText(), (text) => {
        fc.pre(isSingleCondition(text));
        expectInside(text);
      }),
      { numRuns: 10_000, maxSkipsPerRun: 1_000 },
    );
  });

  it('may be any comparison of any strings, in any parentheses, with any comments', () => {
    fc.assert(
      fc.property(soundCondition(), (text) => {
        expect(isSingleCondition(text)).toBe(true);
        expectInside(text);
      }),
      { numRuns: 1_000 },
    );
  });
});

const BEFORE = tokens('INSERT INTO a SELECT x FROM t WHERE (');
const AFTER = tokens(") AND x < 'y'; INSERT INTO b SELECT 'z';");

/**
 * Fails unless the tokens around the text are those of the statement, and it says something that ends nothing
 * of it.
 */
function expectInside(text: string): void {
  const script = `INSERT INTO a SELECT x FROM t WHERE (\n${text}\n) AND x < 'y'; INSERT INTO b SELECT 'z';`;
  const read = tokens(script);
  const own = read.slice(BEFORE.length, -AFTER.length);
  expect([...read.slice(0, BEFORE.length), ...read.slice(-AFTER.length)]).toEqual([...BEFORE, ...AFTER]);
  expect({
    isEmpty: own.every(({ kind }) => kind === 'comment'),
    semicolons: count(own, ';'),
    leastDepth: Math.min(0, ...depths(own)),
    lastDepth: depths(own).at(-1),
    statements: statements(script).length,
  }).toEqual({ isEmpty: false, semicolons: 0, leastDepth: 0, lastDepth: 0, statements: 2 });
}

/** How many parentheses are open behind each token. */
function depths(read: ReturnType<typeof tokens>): number[] {
  let depth = 0;
  return read.map(({ kind, text }) => {
    if (kind === 'symbol' && text === '(') depth += 1;
    if (kind === 'symbol' && text === ')') depth -= 1;
    return depth;
  });
}

function count(read: ReturnType<typeof tokens>, symbol: string): number {
  return read.filter(({ kind, text }) => kind === 'symbol' && text === symbol).length;
}

/** A condition as people write them: comparisons with strings of any text, nested, with comments between. */
function soundCondition(): fc.Arbitrary<string> {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((any) => any.replaceAll('\r', ''));
  const between = fc.constantFrom(' ', '\n', ' /* ;) */ ', " -- it's (\n", '\r\n');
  const string = text.map((any) => `'${any.replaceAll("'", "''")}'`);
  const comparison = fc
    .tuple(
      fc.constantFrom('user_id', '`team``id`', 'team_name'),
      between,
      fc.constantFrom('=', 'LIKE'),
      string,
    )
    .map(([column, space, operator, value]) => `${column}${space}${operator} ${value}`);
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      comparison,
      fc.tuple(tie('condition'), between, tie('condition')).map(([a, space, b]) => `(${a})${space}OR ${b}`),
    ),
  }));
  return condition;
}

/** Text made of what opens, closes and separates, with a little between. */
function nastyText(): fc.Arbitrary<string> {
  const openers = ["'", "''", '"', '`', '--', '/*', '*/', '/*+', '/**', '//', '(', ')', "E'", "\\'", '\\'];
  const others = [';', '\n', '\r', ' ', 'x', '1', 'e', '*', '/', '-', ' DROP TABLE t '];
  return fc.array(fc.constantFrom(...openers, ...others), { maxLength: 12 }).map((parts) => parts.join(''));
}

describe('an expression that no record can make fail', () => {
  it.each([
    'points',
    'clan.id',
    'COALESCE(a, 0) * 3 -- CAST(x AS INT) / 0',
    'TRY_CAST(points AS BIGINT)',
    'a / 2 % 10',
    'a / NULLIF(b, 0)',
    'a / 0.5',
    'MOD(a, 3)',
    'mod (a / 2, NULLIF(b, 0)) + MOD(b, 10)',
    "REGEXP_REPLACE(name, '/', 'MOD(')",
    'modulo(a)',
    '`CAST`(a)',
  ])('may be %j', (text) => {
    expect(isSafeExpression(text)).toBe(true);
  });

  it.each([
    'CAST(points AS INT)',
    'cast (points AS INT)',
    'a / b',
    'a / 0',
    'a % 0.00',
    'a / (b)',
    'a / -- two\n b',
    'MOD(a, b)',
    'MOD(a, 0)',
    'MOD(a / b, 2)',
    'MOD(a, 2 - b)',
    'ELEMENT(tags)',
    'PARSE_JSON(text)',
    "JSON_VALUE(text, '$.a' ERROR ON EMPTY)",
    'REPEAT(name, points)',
    'LPAD(name, points)',
    'FROM_BASE64(name)',
    '(SELECT 1)',
    'a; b',
    'a)',
    '',
  ])('is not %j', (text) => {
    expect(isSafeExpression(text)).toBe(false);
  });
});
