import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONDITION_TYPES, REASONS } from '../../../api/conditions.ts';

const page = readFileSync('docs/conditions.md', 'utf8');

describe('docs/conditions.md', () => {
  it('names every condition', () => {
    expect(CONDITION_TYPES.filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
  });

  it('explains every reason, and none that there is not', () => {
    const rows = [...page.matchAll(/^\| `([A-Z][A-Za-z]+)` +\| (.*?) +\|$/gm)].map(([, reason, means]) => [
      reason,
      means,
    ]);
    expect(rows).toEqual(Object.entries(REASONS).map(([reason, { means }]) => [reason, means]));
  });
});
