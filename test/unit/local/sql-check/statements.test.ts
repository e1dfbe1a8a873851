import { describe, expect, it } from 'vitest';
import { splitScript } from '../../../../local/sql-check/statements.ts';
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
