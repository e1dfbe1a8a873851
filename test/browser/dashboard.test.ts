import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { millis } from '../../api/duration.ts';
import type { Pipeline } from '../../local/pipeline.ts';
import { boards } from '../../plan/boards.ts';
import { violations } from '../../testkit/browser/axe.ts';
import { SOON, startChromium, type Visit, visit } from '../../testkit/browser/browser.ts';
import { servedRows, shownRows } from '../../testkit/browser/shown-board.ts';
import { kafkaClient } from '../../testkit/pipeline/topic.ts';
import { killServer, OUTPUT, startWholePipeline } from '../../testkit/pipeline/whole-pipeline.ts';
import { longSeason } from '../../testkit/resources/long-season.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, produce } from '../../testkit/streams/events.ts';

const SIZE = 10;
const SEASON = longSeason();
/** The demo, livelier, and with seasons that do not end during the tests. */
const arcade = resource(
  {
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', size: SIZE, season: SEASON },
      { name: 'top-players', type: 'TopPlayers', size: SIZE, season: SEASON },
      { name: 'hot-streakers', type: 'HotStreakers', size: SIZE },
      {
        name: 'team-mvps',
        type: 'TeamMvps',
        title: 'Team MVPs',
        size: SIZE,
        season: SEASON,
        minimumEvents: 1,
      },
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
      const labels = board.columns.map(({ label }) => label);
      expect(await tables.locator('th[scope=col]').locator('abbr, bdi').allTextContents()).toEqual([
        '#',
        ...labels,
      ]);
      // A board of instants is redrawn every few seconds, row by row.
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

  it('moves a row to its new rank, and does not redraw it', async () => {
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

describe('the header', () => {
  const fact = (label: string) => page.locator('.facts div', { hasText: label }).locator('dd');

  it('has the rate of events and its course', async () => {
    await expect
      .poll(async () => Number(await page.locator('.rate strong').textContent()), SOON)
      .toBeGreaterThan(10);
    await expect.poll(() => page.getByRole('img', { name: 'Events per second' }).count(), SOON).toBe(1);
  });

  it.for(['players in 5 s', 'teams in 5 s', 'robots in 1 min', 'event to screen'])(
    'has a figure for %s',
    async (label) => {
      await expect.poll(() => fact(label).textContent(), SOON).toMatch(/^\d/);
    },
  );

  it('does not say how old the newest event is while that is new', async () => {
    expect(await fact('newest event').count()).toBe(0);
  });
});

describe('who looks at the page', () => {
  // They go to other pages; the next tests find them where they were.
  afterEach(async () => {
    await page.goto(url);
    const { complaints } = visitor;
    complaints.push(...complaints.splice(0).filter((complaint) => complaint !== 'reloaded'));
  });

  it('sees who moved within the last minute', async () => {
    await expect
      .poll(() => page.locator('[data-move=up], [data-move=down]').count(), SOON)
      .toBeGreaterThan(0);
    const words = await page.locator('.move .unseen').last().textContent();
    expect(words).toMatch(/^(up \d+|down \d+|new)$/);
  });

  it('finds a team on every board, for as long as the search stands', async () => {
    const team = (await shownRows(page, 'top-teams'))[0]?.[1] ?? '';
    await page.getByRole('searchbox').fill(team.toUpperCase());
    const found = () => panel('top-teams').locator('tr[data-found] .who').allTextContents();
    await expect.poll(found, SOON).toEqual([team]);
    await everyBoardChanges();
    expect(await found()).toEqual([team]);
    expect(new URL(page.url()).searchParams.get('q')).toBe(team.toUpperCase());
    await page.reload();
    await expect.poll(found, SOON).toEqual([team]);
  });

  it('holds one panel still while the others continue, and sees the newest on continuing', async () => {
    await page.getByRole('button', { name: 'Pause Top Players' }).press('Enter');
    const before = await shownRows(page, 'top-players');
    const others = await shownRows(page, 'top-teams');
    await expect.poll(() => shownRows(page, 'top-teams'), SOON).not.toEqual(others);
    const served = () => servedRows(url, BOARDS[1]!);
    await expect.poll(served, SOON).not.toEqual(before);
    expect(await shownRows(page, 'top-players')).toEqual(before);
    await page.getByRole('button', { name: 'Resume Top Players' }).press('Enter');
    await expect
      .poll(() => shownRows(page, 'top-players'), { timeout: 400, interval: 20 })
      .not.toEqual(before);
  });

  it('pauses all, and continues', async () => {
    await page.getByRole('button', { name: 'Pause all' }).press('Space');
    expect(await connection.textContent()).toBe('paused');
    const before = await Promise.all(NAMES.map((name) => shownRows(page, name)));
    await expect.poll(() => servedRows(url, BOARDS[0]!), SOON).not.toEqual(before[0]);
    expect(await Promise.all(NAMES.map((name) => shownRows(page, name)))).toEqual(before);
    await page.getByRole('button', { name: 'Resume all' }).press('Space');
    expect(await connection.textContent()).toBe('live');
    await everyBoardChanges();
  });

  it('keeps the focus while boards change', async () => {
    const focused = page.getByRole('link', { name: 'CSV of Top Players' });
    await focused.focus();
    await everyBoardChanges();
    expect(await focused.evaluate((link) => link.ownerDocument.activeElement === link)).toBe(true);
  });

  it('comes by keyboard to the boards, past the header', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect.poll(() => page.locator(':focus').textContent(), SOON).toBe(BOARDS[0]?.title);
  });

  it('sees one board on a screen of its own, live, in the same theme, and comes back', async () => {
    await page.goto(`${url}/?theme=dark`);
    await page.getByRole('link', { name: 'Full screen: Top Players' }).click();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/boards/top-players?theme=dark');
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
    expect(await page.locator('.panel').count()).toBe(1);
    const before = await shownRows(page, 'top-players');
    await expect.poll(() => shownRows(page, 'top-players'), SOON).not.toEqual(before);
    expect(await page.locator('html').evaluate((html) => html.dataset.theme)).toBe('dark');
    await page.getByRole('link', { name: 'All boards' }).click();
    await expect.poll(() => page.locator('.panel').count(), SOON).toBe(NAMES.length);
  });

  it('sees the last season’s final board, which events that come late still change', async () => {
    const kafka = kafkaClient(pipeline.broker.bootstrapServers);
    const time = Date.now() - millis(SEASON);
    const play = (score: number) =>
      produce(kafka, pipeline.eventsTopic, [
        event({ user: 'USR-OLD', team: 'old', name: 'Old Glory', score, time }),
      ]);
    const leader = async () => (await shownRows(page, 'top-teams'))[0];
    await play(1e9);
    await page.getByRole('link', { name: 'Last season' }).click();
    await expect.poll(leader, SOON).toEqual(['1', 'Old Glory', '1,000,000,000']);
    expect(await panel('top-teams').locator('.period').textContent()).toContain('season ended');
    expect(new URL(page.url()).search).toBe('?season=last');
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
    await play(234);
    await expect.poll(leader, SOON).toEqual(['1', 'Old Glory', '1,000,000,234']);
    await page.getByRole('link', { name: 'This season' }).click();
    await expect.poll(async () => (await shownRows(page, 'top-teams')).length, SOON).toBe(SIZE);
  });

  it('meets nothing that is not accessible', async () => {
    expect(await violations(page)).toEqual([]);
  });
});

describe('the motion of rows', () => {
  it.for(['no-preference', 'reduce'] as const)('follows what people prefer: %s', async (reducedMotion) => {
    const { page } = await visit(browser, url, { reducedMotion });
    // Looked for as it happens: the page’s own clock is asked for every frame.
    const moved = page.evaluate<boolean>(`new Promise((resolve) => {
      const until = Date.now() + 10_000;
      const places = () => [...document.querySelectorAll('tbody tr')].map((row) => row.id).join();
      const before = places();
      const look = () => {
        const moving = document.getAnimations().some(({ effect }) => effect.target?.matches('tr'));
        if (moving || Date.now() > until) resolve(moving);
        else if (places() !== before && ${reducedMotion === 'reduce'}) resolve(moving);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    expect(await moved).toBe(reducedMotion === 'no-preference');
    await page.context().close();
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

  it('finds a team, and shows the last season, without JavaScript', async () => {
    const team = (await shownRows(page, 'top-teams'))[1]?.[1] ?? '';
    const plain = await visit(browser, url, { javaScriptEnabled: false });
    await plain.page.getByRole('searchbox').fill(team);
    await plain.page.getByRole('searchbox').press('Enter');
    await expect.poll(() => plain.page.locator('#board-top-teams tr[data-found]').count(), SOON).toBe(1);
    await plain.page.getByRole('link', { name: 'Last season' }).click();
    await expect.poll(async () => (await shownRows(plain.page, 'top-teams'))[0]?.[1], SOON).toBe('Old Glory');
    expect(new URL(plain.page.url()).searchParams.get('q')).toBe(team);
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
  it('the page says so, comes back to life on its own, and keeps changing', async () => {
    killServer(pipeline, url);
    await expect.poll(() => connection.textContent(), SOON).toBe('reconnecting');
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
    await expect.poll(() => page.locator('.board[data-state=live]').count(), SOON).toBe(NAMES.length);
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
    // As often as a team must have played for its best player to be an MVP.
    const times = 10;
    const played = event({ user, team: 'hostile', name: team, score: 1e9 / times, time: Date.now() });
    const events = Array.from({ length: times }, () => played);
    await produce(kafkaClient(pipeline.broker.bootstrapServers), pipeline.eventsTopic, events);
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

describe('when Kafka dies', () => {
  it('the page says so over the last known scores, and recovers by itself', async () => {
    pipeline.broker.process.restart();
    await expect.poll(() => page.locator('.board[data-state=away]').count(), SOON).toBe(NAMES.length);
    expect(await page.locator('.board tbody tr').count()).toBeGreaterThanOrEqual(3 * SIZE);
    await expect.poll(() => connection.textContent(), SOON).toBe('Kafka unavailable');
    expect(await page.locator('.banner').allTextContents()).toEqual([
      expect.stringContaining('Kafka does not answer'),
    ]);
    await expect.poll(() => page.locator('.board[data-state=live]').count(), SOON).toBe(NAMES.length);
    await everyBoardChanges();
    await expect.poll(() => connection.textContent(), SOON).toBe('live');
  });
});
