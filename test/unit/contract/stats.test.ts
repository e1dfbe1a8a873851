import { expect, it } from 'vitest';
import { STATS_COLUMNS } from '../../../contract/stats.ts';
import { table, withPrinted } from '../../support/printed.ts';

const PAGE = 'docs/topics.md';

it('docs/topics.md has the fields of the statistics', async () => {
  const rows = STATS_COLUMNS.map(({ name, type, description }) => [`\`${name}\``, type, description]);
  const page = withPrinted(PAGE, 'fields of a record', table(['field', 'type', 'of each slot'], rows));
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});
