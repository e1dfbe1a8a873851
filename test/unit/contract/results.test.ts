import { expect, it } from 'vitest';
import type { z } from 'zod';
import { seasonResult } from '../../../contract/results.ts';
import { table, withPrinted } from '../../../tools/docs/printed.ts';

const PAGE = 'docs/topics.md';

it('docs/topics.md has the fields of a result', async () => {
  const { data, ...envelope } = seasonResult.shape;
  const { season, ...rest } = data.shape;
  const rows = [
    ...describeFields('', envelope),
    ...describeFields('data.', rest),
    ...describeFields('data.season.', season.shape),
  ];
  const page = withPrinted(PAGE, 'fields of a result', table(['field', 'what'], rows));
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});

function describeFields(prefix: string, fields: Record<string, z.ZodType>): string[][] {
  return Object.entries(fields).map(([name, { description = '' }]) => [`\`${prefix}${name}\``, description]);
}
