import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONDITION_TYPES, REASONS } from '../../../api/conditions.ts';

const readme = readFileSync('README.md', 'utf8');

describe('the README', () => {
  it('names every condition', () => {
    expect(CONDITION_TYPES.filter((type) => !readme.includes(`\`${type}\``))).toEqual([]);
  });

  it('explains every reason, and none that there is not', () => {
    const rows = [...readme.matchAll(/^\| `([A-Z][A-Za-z]+)` +\| (.*?) +\|$/gm)].map(([, reason, means]) => [
      reason,
      means,
    ]);
    expect(rows).toEqual(Object.entries(REASONS).map(([reason, { means }]) => [reason, means]));
  });
});
