import { describe, expect, it } from 'vitest';
import { splitScript, splitStatements } from '../../../../local/sql-check/statements.ts';
import { sqlScript } from '../../../../plan/sql.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

describe('a script', () => {
  it('is cut at its semicolons, but not at those of strings, quoted names and comments', () => {
    const script = [
      "SET 'a;b' = '1';",
      'CREATE TABLE `x;y` (z INT); -- one; two',
      'CREATE VIEW v AS SELECT 1 /* three; four */;',
      'EXECUTE STATEMENT SET BEGIN',
      "-- of v;\nINSERT INTO a SELECT ';' FROM v;",
      'INSERT INTO b SELECT 2 - 1 FROM v;',
      'END;',
    ].join('\n');
    expect(splitScript(script)).toEqual({
      preparation: [
        "SET 'a;b' = '1'",
        'CREATE TABLE `x;y` (z INT)',
        '-- one; two\nCREATE VIEW v AS SELECT 1 /* three; four */',
      ],
      inserts: ["-- of v;\nINSERT INTO a SELECT ';' FROM v", 'INSERT INTO b SELECT 2 - 1 FROM v'],
    });
  });

  it('of a plan has an INSERT for each board, and one for the statistics', () => {
    const { preparation, inserts } = splitScript(sqlScript(resource({}), 'kafka:9092'));
    expect(inserts.map((text) => /^\s*INSERT INTO (\S+)/m.exec(text)?.[1])).toEqual([
      'pipeline_stats',
      '`top-teams`',
      '`top-players`',
      '`hot-streakers`',
      '`team-mvps`',
    ]);
    expect(preparation.join('\n')).not.toContain('INSERT');
  });
});

describe('SQL as it is typed', () => {
  it.each<[string, string[], string]>([
    ['SELECT 1', [], 'SELECT 1'],
    ['SELECT 1;', ['SELECT 1'], ''],
    [' SELECT 1 ; \n SELECT\n2;SELECT 3', ['SELECT 1', 'SELECT\n2'], 'SELECT 3'],
    ["SELECT 'a;b''c;', `x;y`;", ["SELECT 'a;b''c;', `x;y`"], ''],
    ["SELECT 'a; SELECT 2;\n", [], "SELECT 'a; SELECT 2;\n"],
    ['SELECT 1 -- one; two\n, 2;', ['SELECT 1 -- one; two\n, 2'], ''],
    ["SELECT 1 -- it's;", [], "SELECT 1 -- it's;"],
    ["SELECT 1 // it's;\n;", ["SELECT 1 // it's;"], ''],
    ["SELECT 1 /* ; */ /* it's */ / 2 - 3;", ["SELECT 1 /* ; */ /* it's */ / 2 - 3"], ''],
    ['SELECT 1 /* ;', [], 'SELECT 1 /* ;'],
    [';;\n ; -- nothing\n; /* nothing */;', [], ''],
    ['SELECT 1; -- the end', ['SELECT 1'], ''],
    ['SELECT /*+ OPTIONS(a) */ 1;', ['SELECT /*+ OPTIONS(a) */ 1'], ''],
  ])('%j is cut where statements end', (sql, statements, rest) => {
    expect(splitStatements(sql)).toEqual({ statements, rest });
  });

  it('takes any text in a time that grows with its length', () => {
    const text = "-- '`/* ".repeat(100_000);
    expect(splitStatements(text).statements).toEqual([]);
    expect(splitStatements(`${text}\n;`).statements).toEqual([]);
  });
});
