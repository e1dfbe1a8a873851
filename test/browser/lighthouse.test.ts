import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lighthouse from 'lighthouse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/process/ports.ts';
import { startChromium } from '../../testkit/browser/browser.ts';
import { fill, serveDashboard } from '../../testkit/dashboard/dashboard.ts';
import { OUTPUT } from '../../testkit/pipeline/whole-pipeline.ts';
import { resource } from '../../testkit/resources/resource.ts';

/*
 * Lighthouse on a page that is served as ever. Its performance is written down, not asserted: machines
 * differ.
 */

const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const cleanup = new AsyncDisposableStack();
let scores: Record<string, number>;

beforeAll(async () => {
  const fed = await serveDashboard(resource({ dashboard: { title: 'Arcade' } }, 'arcade'), cleanup);
  const players = Array.from({ length: 10 }, (_, index) => ({
    user_id: `USR-${index}`,
    team_name: `Team ${index}`,
    score: 1730 - 130 * index,
  }));
  fill(fed, players);
  const port = await freePort();
  await startChromium(cleanup, [`--remote-debugging-port=${port}`]);
  const result = await lighthouse(fed.url, {
    port,
    onlyCategories: CATEGORIES,
    output: 'html',
    logLevel: 'error',
  });
  const categories = Object.entries(result?.lhr.categories ?? {});
  scores = Object.fromEntries(categories.map(([name, { score }]) => [name, score ?? 0]));
  await writeFile(join(OUTPUT, 'lighthouse.html'), String(result?.report));
  process.stderr.write(`  Lighthouse: ${JSON.stringify(scores)}\n`);
});
afterAll(() => cleanup.disposeAsync());

describe('Lighthouse', () => {
  it.for(['accessibility', 'best-practices'])('gives 95 or more for %s', (category) => {
    expect(scores[category]).toBeGreaterThanOrEqual(0.95);
  });
});
