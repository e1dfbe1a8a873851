import { describe, expect, it } from 'vitest';
import { VIOLATIONS } from '../../../contract/event.ts';
import {
  INVALID_REASONS,
  REASONS,
  SLOT_START,
  STATS_COLUMNS,
  STATS_SOURCES,
  statsValue,
} from '../../../contract/stats.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import { resource } from '../../../testkit/resources/resource.ts';
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
  const events = {
    format: 'avro-confluent',
    fields: { teamId: 'team_id', eventId: 'user_id' },
    deduplicate: '1h',
    latestArrival: '1h',
  };
  const sql = sqlScript(resource({ events }), 'kafka:9092');

  it('has nothing of schemas where records have none', () => {
    expect(sqlScript(resource(), 'kafka:9092')).not.toContain('schema');
  });

  it.each(STATS_SOURCES)('has of %s the columns that are declared to be counted there', (source) => {
    const [, query = ''] = new RegExp(`of_${source} AS \\(\\n([\\s\\S]*?)\\n\\)`).exec(sql) ?? [];
    const names = [...query.matchAll(/(?: AS |^ {4})([a-z_]+),?$/gm)].map(([, name]) => name);
    const declared = STATS_COLUMNS.filter(({ sources }) => sources.includes(source));
    expect(names).toEqual([SLOT_START, ...declared.map(({ name }) => name)]);
  });
});

describe('a record of the statistics', () => {
  it.each(VIOLATIONS)('may have the reason of an invalid event that $text', ({ text }) => {
    expect(statsValue.parse({ ...NO_STATS, uncounted_reason: text })).toMatchObject({
      uncountedReason: text,
    });
  });

  it('has what is not counted by its reason, with an example', () => {
    const counts = REASONS.map(({ countColumn }, index) => [countColumn, index + 1]);
    const examples = REASONS.map(({ exampleColumn, id }) => [exampleColumn, `such as ${id}`]);
    const { reasons, examples: read } = statsValue.parse({
      ...NO_STATS,
      ...Object.fromEntries([...counts, ...examples]),
    });
    expect(reasons).toEqual(Object.fromEntries(REASONS.map(({ id }, index) => [id, index + 1])));
    expect(read).toEqual(Object.fromEntries(REASONS.map(({ id }) => [id, `such as ${id}`])));
  });

  it('may be of a job from before the reasons were counted', () => {
    const columns = new Set([
      ...INVALID_REASONS.map((reason) => reason.countColumn),
      ...REASONS.map((reason) => reason.exampleColumn),
    ]);
    const before = Object.entries(NO_STATS).filter(([name]) => !columns.has(name));
    const old = Object.fromEntries([...before, ['uncounted_events', 3], ['undecodable_messages', 2]]);
    const { uncountedEvents, reasons, examples } = statsValue.parse(old);
    expect(uncountedEvents).toBe(3);
    expect(reasons).toEqual({ ...Object.fromEntries(REASONS.map(({ id }) => [id, 0])), malformed: 2 });
    expect(new Set(Object.values(examples))).toEqual(new Set([undefined]));
  });
});
