import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../../local/pipeline.ts';
import { boards } from '../../plan/boards.ts';
import { SOON, startChromium, type Visit, visit } from '../support/browser.ts';
import { event, produce } from '../support/events.ts';
import { resource } from '../support/resource.ts';
import { servedRows, shownRows } from '../support/shown-board.ts';
import { kafkaClient } from '../support/topic.ts';
import { killServer, OUTPUT, startWholePipeline } from '../support/whole-pipeline.ts';

const SIZE = 10;
/** The demo, livelier, and with seasons so long that none is likely to end during the tests. */
const arcade = resource(
  {
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', size: SIZE, season: '12h' },
      { name: 'top-players', type: 'TopPlayers', size: SIZE, season: '12h' },
      { name: 'hot-streakers', type: 'HotStreakers', size: SIZE },
      { name: 'team-mvps', type: 'TeamMvps', title: 'Team MVPs', size: SIZE, season: '12h' },
    ],
    injector: { eventsPerSecond: 50, seed: 7 },
    dashboard: { title: 'Arcade' },
  },
  'arcade',
);
const BOARDS = boards(arcade);
const NAMES = BOARDS.map(({ name }) => name);
const PHONE = { width: 390, height: 844 };

const cleanup = new AsyncDisposableStack();
let pipeline: Pipeline;
let url: string;
let browser: Browser;
/** One visitor who stays all the time: what they see must never need a reload. */
let visitor: Visit;
let page: Page;
let connection: Locator;

beforeAll(async () => {
  browser = await startChromium(cleanup);
  pipeline = await startWholePipeline(arcade, cleanup);
  url = pipeline.services.get('arcade-dashboard') ?? '';
  visitor = await visit(browser, url);
  page = visitor.page;
  connection = page.locator('#connection');
});
afterAll(() => cleanup.disposeAsync());
afterEach(() => expect(visitor?.complaints.splice(0)).toEqual([]));

function panel(board: string): Locator {
  return page.locator(`#board-${board}`);
}

/** Waits until every board has changed before the visitor's eyes. */
async function everyBoardChanges(): Promise<void> {
  const before = await Promise.all(NAMES.map((name) => shownRows(page, name)));
  await Promise.all(
    NAMES.map((name, index) =>
      expect.poll(() => shownRows(page, name), { ...SOON, message: name }).not.toEqual(before[index]),
    ),
  );
}

async function scrollsSideways(shown: Page): Promise<boolean> {
  return shown.locator('html').evaluate((html) => html.scrollWidth > html.clientWidth);
}

describe('the page of a running pipeline', () => {
  it.for(NAMES)('fills %s with real rows', async (name) => {
    await expect.poll(() => panel(name).locator('tbody tr').count(), SOON).toBe(SIZE);
    const rows = await shownRows(page, name);
    expect(rows.map(([rank]) => rank)).toEqual(Array.from({ length: SIZE }, (_, index) => String(index + 1)));
    expect(rows.flat().filter((text) => text === '' || text === '–')).toEqual([]);
  });

  it('says that it is live', async () => {
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
  });

  it.for(BOARDS)(
    'has one table for $name, with a caption, and headers to its columns and rows',
    async (board) => {
      const tables = panel(board.name).getByRole('table');
      expect(await tables.count()).toBe(1);
      expect(await tables.locator('caption').textContent()).toContain(board.title);
      const labels = board.columns.flatMap(({ shown }) => shown?.label ?? []);
      expect(await tables.locator('th[scope=col]').locator('abbr, bdi').allTextContents()).toEqual([
        '#',
        ...labels,
      ]);
      // A board of instants is drawn anew every few seconds, row by row.
      await expect.poll(() => tables.getByRole('rowheader').count(), SOON).toBe(SIZE);
    },
  );

  it.for(BOARDS)('shows of $name what the API says', async (board) => {
    // The page follows within half a second: it shows now what the API may have said a moment ago.
    const served = new Set<string>();
    const shownWasServed = async () => {
      served.add(JSON.stringify(await servedRows(url, board)));
      return served.has(JSON.stringify(await shownRows(page, board.name)));
    };
    await expect.poll(shownWasServed, { ...SOON, interval: 50 }).toBe(true);
  });

  it('shows the whole names of players', async () => {
    const names = page.locator('#board-top-players tbody .who bdi:first-child');
    const cutShort = await names.evaluateAll((all) =>
      all.filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent),
    );
    expect(cutShort).toEqual([]);
  });

  it('changes every board live', everyBoardChanges);

  it('moves a row to its new rank, and does not draw it anew', async () => {
    const rows = await panel('top-players').locator('tbody tr').elementHandles();
    const places = () =>
      Promise.all(
        rows.map((row) =>
          row.evaluate(({ id, dataset, isConnected }) => ({ id, rank: dataset.rank, isConnected })),
        ),
      );
    const before = await places();
    const anyMoved = async () =>
      (await places()).some(
        ({ id, rank, isConnected }, index) =>
          isConnected && id === before[index]?.id && rank !== before[index]?.rank,
      );
    await expect.poll(anyMoved, SOON).toBe(true);
  });
});

describe('the first paint', () => {
  it.for(NAMES)('has all rows of %s in the HTML', async (name) => {
    const html = await (await fetch(url)).text();
    expect(html.match(new RegExp(`<tr id="board-${name}-`, 'g'))).toHaveLength(SIZE);
  });

  it('is complete without JavaScript', async () => {
    const plain = await visit(browser, url, { javaScriptEnabled: false });
    await expect.poll(() => plain.page.locator('tbody tr').count(), SOON).toBe(SIZE * NAMES.length);
    expect(await plain.page.locator('.connection:visible').allTextContents()).toEqual(['reloads every 5 s']);
    await plain.page.context().close();
  });
});

describe('the look of the page', () => {
  it.for([
    { look: 'light', options: { colorScheme: 'light' } },
    { look: 'dark', options: { colorScheme: 'dark' } },
    { look: 'phone', options: { viewport: PHONE, isMobile: true, deviceScaleFactor: 2 } },
  ] as const)('needs no scrolling sideways ($look)', async ({ look, options }) => {
    const shown = await visit(browser, url, options);
    await expect.poll(() => shown.page.locator('#connection').textContent(), SOON).toBe('live');
    await shown.page.screenshot({
      path: join(OUTPUT, `dashboard-${look}.png`),
      fullPage: true,
      animations: 'disabled',
    });
    expect(await scrollsSideways(shown.page)).toBe(false);
    expect(shown.complaints).toEqual([]);
    await shown.page.context().close();
  });
});

describe('when the dashboard dies', () => {
  it('the page says so, comes back to life on its own, and goes on changing', async () => {
    killServer(pipeline, url);
    await expect.poll(() => connection.textContent(), SOON).toBe('reconnecting');
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
    await expect.poll(() => page.locator('.panel[data-state=live]').count(), SOON).toBe(NAMES.length);
    await everyBoardChanges();
    // Chromium and htmx say of each attempt that nobody answered.
    const unanswered = /^WebSocket connection to .* failed|^htmx: htmx:ws:error/;
    expect(visitor.complaints.splice(0).filter((text) => !unanswered.test(text))).toEqual([]);
  });
});

describe('a player whose name is hostile', () => {
  const user = '<img src=x onerror=alert(1)>';
  const team = `</table><hx-partial hx-target="body"><script>alert(2)</script>{{title}}${'W'.repeat(100)}`;

  it('leads as plain text', async () => {
    const played = event({ user, team: 'hostile', name: team, score: 1e9, time: Date.now() });
    await produce(kafkaClient(pipeline.broker.bootstrapServers), pipeline.eventsTopic, [played]);
    const leader = async (board: string) => (await shownRows(page, board))[0];
    await expect.poll(() => leader('top-players'), SOON).toEqual(['1', user, team, '1,000,000,000']);
    await expect.poll(() => leader('top-teams'), SOON).toEqual(['1', team, '1,000,000,000']);
    await expect.poll(async () => (await leader('team-mvps'))?.slice(0, 3), SOON).toEqual(['1', user, team]);
    expect(await page.locator('body :is(img, script, hx-partial)').count()).toBe(0);
  });

  it('is plain text in the first paint too, and fits a phone', async () => {
    const phone = await visit(browser, url, { viewport: PHONE, isMobile: true });
    expect((await shownRows(phone.page, 'top-players'))[0]).toContain(user);
    expect(await phone.page.locator('body :is(img, script, hx-partial)').count()).toBe(0);
    expect(await scrollsSideways(phone.page)).toBe(false);
    expect(phone.complaints).toEqual([]);
    await phone.page.context().close();
  });
});
