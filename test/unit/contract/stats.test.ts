import { expect, it } from 'vitest';
import { SLOT_START, STATS_COLUMNS } from '../../../contract/stats.ts';
import { table, withPrinted } from '../../support/printed.ts';

const PAGE = 'docs/topics.md';

it('docs/topics.md has the fields of the statistics', async () => {
  const rows = STATS_COLUMNS.map(({ name, type, description }) => [`\`${name}\``, type, description]);
  const head = ['field', 'type', 'of each slot'];
  const key = [`\`${SLOT_START}\``, 'BIGINT', 'When it began, in epoch milliseconds. The key.'];
  const page = withPrinted(PAGE, 'fields of a record', table(head, [key, ...rows]));
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});
