import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EVENT_CHECKS } from '../../../contract/event.ts';
import { SLOT_START, STATS_COLUMNS, STATS_SOURCES, statsValue } from '../../../contract/stats.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import { table, withPrinted } from '../../../tools/docs/printed.ts';

const PAGE = 'docs/topics.md';

it('docs/topics.md has the fields of the statistics', async () => {
  const rows = STATS_COLUMNS.map(({ name, type, description }) => [`\`${name}\``, type, description]);
  const head = ['field', 'type', 'of each slot'];
  const key = [`\`${SLOT_START}\``, 'BIGINT', 'When it began, in epoch milliseconds. The key.'];
  const page = withPrinted(PAGE, 'fields of a record', table(head, [key, ...rows]));
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});

describe('the SQL of the statistics', () => {
  const sql = readFileSync('sql/pipeline-stats.sql.hbs', 'utf8');

  it.each(STATS_SOURCES)('has of %s the columns that are declared to be counted there', (source) => {
    const [, query = ''] = new RegExp(`of_${source} AS \\(\\n([\\s\\S]*?)\\n\\)`).exec(sql) ?? [];
    const names = [...query.matchAll(/ AS (\w+),?$/gm)].map(([, name]) => name);
    const declared = STATS_COLUMNS.filter(({ sources }) => sources.includes(source));
    expect(names).toEqual([SLOT_START, ...declared.map(({ name }) => name)]);
  });
});

it('every reason of an invalid event can be read', () => {
  for (const reason of EVENT_CHECKS.flatMap(({ missing, outOfBounds }) => [missing, outOfBounds]))
    expect(statsValue.parse({ ...NO_STATS, uncounted_reason: reason })).toMatchObject({
      uncountedReason: reason,
    });
});
