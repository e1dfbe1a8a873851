import { expect, it } from 'vitest';
import { EVENT_CHECKS, EVENT_FIELDS } from '../../../contract/event.ts';
import { table, withPrinted } from '../../../tools/docs/printed.ts';

const PAGE = 'docs/events.md';

it('docs/events.md has the fields of an event, and why one is invalid', async () => {
  const rows = Object.entries(EVENT_FIELDS).map(([name, { type, description }]) => {
    const checks = EVENT_CHECKS.filter(({ field }) => field === name);
    const violations = checks.flatMap(({ missing, outOfBounds }) => [missing, outOfBounds]);
    const reasons = violations.map(({ reason, text }) => `${text} (\`${reason}\`)`);
    return [`\`${name}\``, type, description, reasons.join('; ')];
  });
  const head = ['field', 'Flink SQL type', '', 'invalid, because (reason)'];
  const page = withPrinted(PAGE, 'fields of an event', table(head, rows));
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});
