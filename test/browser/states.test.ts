import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Locator, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Board } from '../../dashboard/boards/board.ts';
import { createPanel } from '../../dashboard/page/panel.ts';
import {
  renderBoard,
  renderFrame,
  renderFreshness,
  renderStatus,
  renderTraffic,
} from '../../dashboard/page/render.ts';
import { createStatus } from '../../dashboard/page/status.ts';
import { PALETTE, TeamColors } from '../../dashboard/page/team-color.ts';
import { createFreshness, createTraffic } from '../../dashboard/page/traffic.ts';
import { ScreenDelays } from '../../dashboard/stats/screen-delays.ts';
import { Stats } from '../../dashboard/stats/stats.ts';
import { violations } from '../../testkit/browser/axe.ts';
import { SOON, startChromium, visit } from '../../testkit/browser/browser.ts';
import { shownRows } from '../../testkit/browser/shown-board.ts';
import {
  fill,
  fillValue,
  type HandFed,
  type Player,
  serveDashboard,
  spoil,
} from '../../testkit/dashboard/dashboard.ts';
import { OUTPUT } from '../../testkit/pipeline/whole-pipeline.ts';
import { longSeason } from '../../testkit/resources/long-season.ts';
import { resource } from '../../testkit/resources/resource.ts';

/* Every face of the page, in both themes and at all sizes; the boards are fed by hand. */

const SEASON = longSeason();
/** The four boards that a game has, in seasons that do not end during the tests. */
const arcade = resource(
  {
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: SEASON },
      { name: 'top-players', type: 'TopPlayers', season: SEASON },
      { name: 'hot-streakers', type: 'HotStreakers' },
      { name: 'team-mvps', type: 'TeamMvps', title: 'Team MVPs', season: SEASON },
    ],
    dashboard: { title: 'Arcade' },
  },
  'arcade',
);

const TEAMS =
  'Azure Otter,Teal Heron,Coral Lynx,Amber Wolf,Plum Raven,Ivory Stag,Rust Badger,Jade Crane,Slate Puma,Mint Hare'.split(
    ',',
  );
const PLAYERS: Player[] = Array.from({ length: 10 }, (_, index) => ({
  user_id: `USR-${(1e9 - 7919 * index).toString(36).toUpperCase()}0`,
  team_name: TEAMS[index] ?? '',
  score: 1730 - 130 * index,
}));

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</bdi></td></table><script>alert(1)</script>',
  '"\' onmouseover=alert(1) x="',
  'فريق النجوم الساطعة',
  '\u202eright to left\u202c',
  '\u200b\u200d\u2060',
  '👩‍👩‍👧‍👦🏳️‍🌈🔥🚀',
  'W'.repeat(10_000),
  `Z${'\u0322\u0349\u0317'.repeat(60)}algo`,
  '\n\t\u0000\u0007{{title}}',
];

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 };
const WALL = { viewport: { width: 2560, height: 1440 } };

/** How a state comes about. */
const STATES: Record<string, (fed: HandFed) => void> = {
  'warming-up': () => {},
  error: ({ boards, stats }) => {
    for (const live of [...boards, stats]) live.markUnavailable('connect ECONNREFUSED');
  },
  empty: ({ boards, stats }) => {
    for (const board of boards) board.publish(new Board(board.definition));
    stats.publish(new Stats());
  },
  stalled: (fed) => {
    fill(fed, PLAYERS);
    fed.stats.publish(new Stats());
    fed.events.answered(true, Date.now() - 60_000);
  },
  live: (fed) => fill(fed, PLAYERS),
  'live with events that do not count': (fed) => {
    fill(fed, PLAYERS);
    spoil(fed);
  },
  stale: (fed) => {
    fill(fed, PLAYERS);
    for (const live of [...fed.boards, fed.stats]) live.markUnavailable('gone');
  },
  hostile: (fed) => {
    const hostile = HOSTILE.map((name, index) => ({ user_id: name, team_name: name, score: 1700 - index }));
    fill(fed, hostile);
  },
};

const cleanup = new AsyncDisposableStack();
const served = new Map<string, HandFed>();
let browser: Browser;

beforeAll(async () => {
  browser = await startChromium(cleanup);
  for (const [state, make] of Object.entries(STATES)) {
    const fed = await serveDashboard(arcade, cleanup);
    make(fed);
    served.set(state, fed);
  }
});
afterAll(() => cleanup.disposeAsync());

const urlOf = (state: string) => served.get(state)?.url ?? '';

/** Opens a page, has a look at it, and sees that nothing is wrong with it. */
async function look(
  path: string,
  options: BrowserContextOptions,
  see: (page: Page) => Promise<void>,
  expected: string[] = [],
): Promise<void> {
  const { page, complaints } = await visit(browser, path, { reducedMotion: 'reduce', ...options });
  await connected(page);
  await see(page);
  expect(complaints).toEqual(expected);
  await page.context().close();
}

/** The pill has the state of the data, once there is a connection. */
async function connected(page: Page): Promise<void> {
  const pill = () => page.locator('#connection').textContent();
  const isState = async () => (await pill()) === (await page.locator('#status').getAttribute('data-label'));
  await expect.poll(isState, SOON).toBe(true);
}

async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true, animations: 'disabled' });
}

async function scrollsSideways(page: Page): Promise<boolean> {
  return page.locator('html').evaluate((html) => html.scrollWidth > html.clientWidth);
}

describe.for(Object.keys(STATES))('the page that is %s', (state) => {
  it.for(['light', 'dark'])('is accessible and needs no scrolling sideways (%s)', async (theme) => {
    await look(`${urlOf(state)}/?theme=${theme}&q=otter`, {}, async (page) => {
      await screenshot(page, `${state}-${theme}`);
      expect(await violations(page)).toEqual([]);
      expect(await scrollsSideways(page)).toBe(false);
    });
  });

  it('fits a phone', async () => {
    await look(urlOf(state), PHONE, async (page) => {
      await screenshot(page, `${state}-phone`);
      expect(await violations(page)).toEqual([]);
      expect(await scrollsSideways(page)).toBe(false);
    });
  });
});

describe('what each state says', () => {
  it.for([
    ['warming-up', 'Warming up'],
    ['error', 'Out of reach'],
    ['empty', 'No scores yet'],
    ['stalled', 'Azure Otter'],
    ['stale', 'Azure Otter'],
  ])('is its own: %s', async ([state = '', words = '']) => {
    await look(urlOf(state), {}, async (page) => {
      expect(await page.locator('.board').allTextContents()).toEqual(
        Array.from({ length: 4 }, () => expect.stringContaining(words)),
      );
    });
  });

  it.for([
    ['warming-up', 'waiting', null],
    ['empty', 'quiet', 'No event has been counted yet.'],
    ['stalled', 'not counting', 'Events arrive in Kafka, but the Flink job has not counted any yet.'],
    ['stale', 'Kafka unavailable', 'Kafka does not answer. The boards show what was last known.'],
  ])('appears once for all boards, and in the pill: %s', async ([state, label, banner]) => {
    await look(urlOf(state ?? ''), {}, async (page) => {
      expect(await page.locator('#connection').textContent()).toBe(label);
      const banners = await page.locator('.banner').allTextContents();
      expect(banners).toEqual(banner === null ? [] : [expect.stringContaining(banner ?? '')]);
      expect(await page.locator('.notice').count()).toBe(0);
    });
  });

  it('is that there is no such board, with the way to those there are', async () => {
    const { page } = await visit(browser, `${urlOf('live')}/boards/%3Cscript%3E`);
    expect(await page.locator('h1').textContent()).toBe('There is no board called <script>');
    expect(await violations(page)).toEqual([]);
    await page.locator('a').click();
    await expect.poll(() => page.locator('.panel').count(), SOON).toBe(4);
    await page.context().close();
  });
});

describe('the past seasons of a board', () => {
  it.for([
    ['wide', {}],
    ['phone', PHONE],
  ] as const)('are a menu, with who won, and a page each (%s)', async ([size, options]) => {
    const see = async (page: Page) => {
      await page.locator('.past summary').click();
      const links = page.locator('.past a');
      expect(await links.allTextContents()).toEqual([expect.stringMatching(/ UTC USR-\w+$/)]);
      await screenshot(page, `past-seasons-${size}`);
      expect(await violations(page)).toEqual([]);
      expect(await scrollsSideways(page)).toBe(false);
      await links.first().click();
      await page.waitForURL(/\?season=\d+$/);
      expect(await page.locator('.period').textContent()).toContain('season ended');
      await expect.poll(() => page.locator('tbody tr').count(), SOON).toBe(PLAYERS.length);
    };
    await look(`${urlOf('live')}/boards/top-players`, options, see, ['reloaded']);
  });
});

describe('a phone', () => {
  it.for(['', '/boards/top-players'])(
    'shows the first rows on its first screen, and the title on all (%s)',
    async (path) => {
      await look(`${urlOf('live')}${path}`, PHONE, async (page) => {
        const row = await page.locator('tbody tr').nth(2).boundingBox();
        expect((row?.y ?? 0) + (row?.height ?? 0)).toBeLessThan(PHONE.viewport.height / 2 + 100);
        await page.locator('.tools').last().scrollIntoViewIfNeeded();
        const title = await page.getByRole('heading', { level: 1 }).boundingBox();
        expect(title?.y).toBeGreaterThanOrEqual(0);
        expect(title?.y).toBeLessThan(50);
      });
    },
  );

  it('has signs that are named', async () => {
    await look(
      urlOf('live'),
      PHONE,
      async (page) => {
        await page.getByRole('button', { name: 'Pause all' }).click();
        expect(await page.getByRole('button', { name: 'Resume all' }).count()).toBe(1);
        await page.locator('summary', { hasText: 'Theme' }).click();
        await page.getByRole('navigation', { name: 'Theme' }).getByRole('link', { name: 'Dark' }).click();
        await expect.poll(() => page.locator('html').getAttribute('data-theme'), SOON).toBe('dark');
      },
      ['reloaded'],
    );
  });
});

describe('a search', () => {
  it('is among the shown ranks, and goes to the first hit or says that there is none', async () => {
    await look(
      urlOf('live'),
      { viewport: { width: 1280, height: 500 } },
      async (page) => {
        const search = page.getByRole('searchbox', { name: 'Find a player or team among the shown ranks' });
        await search.fill('nobody');
        await search.press('Enter');
        expect(await page.locator('#found').textContent()).toBe('not among the shown ranks');
        await search.fill('mint hare');
        expect(await page.locator('#found').textContent()).toBe('4 found');
        const first = page.locator('#board-top-teams tr[data-found]');
        const seen = () => first.evaluate((row) => row.getBoundingClientRect().bottom < 500);
        expect(await seen()).toBe(false);
        await search.press('Enter');
        await expect.poll(seen, SOON).toBe(true);
        // The URL tells of each search.
      },
      ['reloaded', 'reloaded'],
    );
    // Without JavaScript too; searches take turns.
    const html = async () => (await fetch(`${urlOf('live')}/?q=nobody`)).text();
    await expect.poll(html, SOON).toContain('>not among the shown ranks</output>');
  });
});

describe('without JavaScript', () => {
  it('there are no buttons, and the theme can be chosen', async () => {
    const { page } = await visit(browser, urlOf('live'), { javaScriptEnabled: false });
    expect(await page.getByRole('button').count()).toBe(0);
    await page.locator('summary').click();
    await page.getByRole('link', { name: 'Dark' }).click();
    expect(new URL(page.url()).search).toBe('?theme=dark');
    await page.context().close();
  });
});

describe('a hostile name', () => {
  it('is text, and stays within its row', async () => {
    await look(urlOf('hostile'), {}, async (page) => {
      const names = (await shownRows(page, 'top-teams')).map(([, name]) => name);
      expect(names.slice(0, 2)).toEqual(HOSTILE.slice(0, 2));
      expect(await page.locator('body :is(img, script, hx-partial)').count()).toBe(0);
      const heights = await page
        .locator('#board-top-teams tbody tr')
        .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
      expect(Math.max(...heights.slice(1)) - Math.min(...heights.slice(1))).toBeLessThan(2);
    });
  });
});

describe.for([1730, 7_475_330, Number.MAX_SAFE_INTEGER, 1.7e308])('scores around %d', (score) => {
  const columns = [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'user_id', type: 'STRING', label: 'Player' },
    { name: 'short_term_avg', type: 'DOUBLE', label: 'Best' },
    { name: 'total_score', type: 'BIGINT', label: 'Score' },
  ];
  const game = resource(
    {
      leaderboards: [
        { name: 'top-teams', type: 'TopTeams' },
        { name: 'top-players', type: 'TopPlayers' },
        { name: 'hot-streakers', type: 'HotStreakers' },
        { name: 'team-mvps', type: 'TeamMvps' },
        { name: 'own', type: 'Query', columns, query: 'SELECT 1 AS rnk' },
      ],
      dashboard: { title: 'Arcade' },
    },
    'arcade',
  );
  let url: string;
  beforeAll(async () => {
    const fed = await serveDashboard(game, cleanup);
    fill(
      fed,
      PLAYERS.map((player, index) => ({ ...player, score: score * (1 - index / 20) })),
    );
    url = fed.url;
  });

  it.for([320, 390, 768, 1440, 1920])(
    'fit a screen of %d px, next to names that stay distinct',
    async (width) => {
      await look(url, { viewport: { width, height: 800 } }, async (page) => {
        await screenshot(page, `scores-${score}-${width}`);
        expect(await scrollsSideways(page)).toBe(false);
        const panels = await page.evaluate<{ beyond: number; letters: number[] }[]>(`
        [...document.querySelectorAll('.panel')].map((panel) => {
          const { right } = panel.getBoundingClientRect();
          const cells = [...panel.querySelectorAll('th, td')].map((cell) => cell.getBoundingClientRect().right);
          const lettersSeen = (name) => {
            if (name.scrollWidth <= name.clientWidth) return name.textContent.length;
            const range = document.createRange();
            const end = name.getBoundingClientRect().right;
            let letters = 0;
            do {
              range.setStart(name.firstChild, 0);
              range.setEnd(name.firstChild, letters + 1);
            } while (range.getBoundingClientRect().right <= end && ++letters < name.textContent.length);
            return letters;
          };
          return {
            beyond: Math.max(0, Math.max(...cells) - right),
            letters: [...panel.querySelectorAll('tbody .who bdi:first-child')].map(lettersSeen),
          };
        })`);
        expect(panels).toHaveLength(5);
        for (const { beyond, letters } of panels) {
          expect(beyond).toBe(0);
          expect(Math.min(...letters)).toBeGreaterThan(5);
        }
      });
    },
  );
});

describe('rows', () => {
  /** Of all but the leaders', which are taller. */
  const heights = (page: Page, board = '') =>
    page
      .locator(`${board} tbody tr:not([data-rank="1"])`)
      .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  const spread = (sizes: number[]) => Math.max(...sizes) - Math.min(...sizes);

  it('are of one height on all boards, and panels side by side too', async () => {
    await look(urlOf('live'), { viewport: { width: 1440, height: 900 } }, async (page) => {
      expect(spread(await heights(page))).toBeLessThan(2);
      const panels = await page.locator('.panel').evaluateAll((all) => all.map((one) => one.clientHeight));
      expect(panels[0]).toBe(panels[1]);
      expect(panels[2]).toBe(panels[3]);
    });
  });

  it.for(['', '/boards/top-teams'])('keep their height while there are few (%s)', async (path) => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    fill({ ...fed, boards: fed.boards.slice(0, 1) }, PLAYERS.slice(0, 3));
    await look(`${fed.url}${path}`, {}, async (page) => {
      const few = await heights(page, '#board-top-teams');
      expect(few).toHaveLength(2);
      expect(Math.max(...few)).toBeLessThan(50);
      expect(spread(await heights(page))).toBeLessThan(2);
    });
  });
});

describe('a wall', () => {
  it('shows all boards, and one as large as the screen', async () => {
    await look(`${urlOf('live')}/?theme=dark`, WALL, async (page) => {
      await screenshot(page, 'wall');
      expect(await violations(page)).toEqual([]);
    });
    await look(`${urlOf('live')}/boards/top-teams?theme=dark`, WALL, async (page) => {
      await screenshot(page, 'wall-one');
      expect(await violations(page)).toEqual([]);
      const html = await page.locator('html').evaluate(({ scrollHeight }) => scrollHeight);
      expect(html).toBeLessThanOrEqual(WALL.viewport.height);
      const row = await page.locator('#board-top-teams tbody tr').last().boundingBox();
      expect(row?.height).toBeGreaterThan(60);
    });
  });
});

describe('a team’s color', () => {
  const fills = (rows: Locator) =>
    rows.evaluateAll((all) =>
      all.flatMap((row) =>
        [...row.querySelectorAll('.fill')].map(
          (bar) => row.ownerDocument.defaultView?.getComputedStyle(bar).fill,
        ),
      ),
    );

  it('is the same on all boards, that of no other team, and in the bar', async () => {
    await look(urlOf('live'), {}, async (page) => {
      const otters = await fills(page.locator('tbody tr', { hasText: 'Azure Otter' }));
      expect(otters).toHaveLength(4);
      expect(new Set(otters).size).toBe(1);
      expect(new Set(await fills(page.locator('tbody tr'))).size).toBe(TEAMS.length);
    });
  });

  it.for(['light', 'dark'])('stand out from the background (%s)', async (theme) => {
    await look(`${urlOf('live')}/?theme=${theme}`, {}, async (page) => {
      const contrasts = await page.evaluate<Record<string, number>>(`(() => {
        const row = document.querySelector('tbody tr');
        const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
        const luminance = (color) => {
          context.fillStyle = color;
          context.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((byte) =>
            byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = luminance(getComputedStyle(row.closest('.panel')).backgroundColor);
        return Object.fromEntries(${JSON.stringify(PALETTE)}.map(({ hue, shade }) => {
          Object.assign(row.dataset, { hue, shade });
          const bar = luminance(getComputedStyle(row.querySelector('.fill')).fill);
          const contrast = (Math.max(bar, ground) + 0.05) / (Math.min(bar, ground) + 0.05);
          return [hue + ' ' + shade, contrast];
        }));
      })()`);
      expect(Object.keys(contrasts)).toHaveLength(PALETTE.length);
      expect(Object.entries(contrasts).filter(([, contrast]) => contrast < 3)).toEqual([]);
    });
  });
});

describe('a board by value', () => {
  const game = resource(
    {
      leaderboards: [
        { name: 'countries', type: 'TopPlayers', season: SEASON, by: 'team_name', maxValues: 12 },
        { name: 'top-players', type: 'TopPlayers', season: SEASON },
      ],
      dashboard: { title: 'Arcade' },
    },
    'arcade',
  );
  const reversed = PLAYERS.map((player, index) => ({ ...player, user_id: PLAYERS.at(-1 - index)!.user_id }));
  let fed: HandFed;
  beforeAll(async () => {
    fed = await serveDashboard(game, cleanup);
    fill(fed, PLAYERS);
    for (const value of ['Atlantis', 'Norway', ...HOSTILE.map((text) => text.slice(0, 256))])
      fillValue(fed, value, value === 'Norway' ? reversed : PLAYERS);
  });
  const shownValue = (page: Page) => page.locator('.value strong').textContent();
  const leaderOf = async (page: Page) => (await shownRows(page, 'countries'))[0]?.[1];

  it.for([
    ['light', {}],
    ['dark', {}],
    ['light', PHONE],
  ] as const)('is accessible and needs no scrolling sideways (%s, %o)', async ([theme, options]) => {
    const name = 'viewport' in options ? 'phone' : theme;
    for (const [value, what] of [
      ['Norway', 'value'],
      [HOSTILE[7]!.slice(0, 256), 'long-value'],
    ] as const)
      await look(
        `${fed.url}/?theme=${theme}&by.countries=${encodeURIComponent(value)}`,
        options,
        async (page) => {
          await screenshot(page, `${what}-${name}`);
          expect(await violations(page)).toEqual([]);
          expect(await scrollsSideways(page)).toBe(false);
        },
      );
  });

  it('shows another value once it is chosen, follows it, and tells the URL', async () => {
    await look(
      `${fed.url}/?q=otter`,
      {},
      async (page) => {
        const picker = page.getByRole('combobox', { name: 'Show another Team Name of Countries' });
        await page.getByRole('searchbox').fill('raven');
        await picker.fill('Norway');
        await picker.press('Enter');
        await expect.poll(() => shownValue(page), SOON).toBe('Norway');
        const query = Object.fromEntries(new URL(page.url()).searchParams);
        expect(query).toEqual({ q: 'raven', 'by.countries': 'Norway' });
        expect(await leaderOf(page)).toBe(reversed[0]?.user_id);
        await connected(page);
        const news = [{ ...reversed[0]!, user_id: 'NEWCOMER' }];
        fillValue(fed, 'Atlantis', [{ ...news[0]!, user_id: 'ELSEWHERE' }]);
        fillValue(fed, 'Norway', news);
        await expect.poll(() => leaderOf(page), SOON).toBe('NEWCOMER');
        fillValue(fed, 'Norway', reversed);
      },
      // The search has changed the URL before.
      ['reloaded', 'reloaded'],
    );
  });

  it('works without JavaScript, for any value', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    for (const value of [HOSTILE[0]!, HOSTILE[1]!, HOSTILE[2]!]) {
      await page.goto(fed.url);
      await page.locator('.picker input[list]').fill(value);
      await page.locator('.picker button').click();
      await expect.poll(() => shownValue(page), SOON).toBe(value);
    }
    await context.close();
  });

  it('says on the wall whose board it is', async () => {
    await look(`${fed.url}/boards/countries?by.countries=Norway`, WALL, async (page) => {
      await screenshot(page, 'value-wall');
      expect(await shownValue(page)).toBe('Norway');
      expect(await violations(page)).toEqual([]);
    });
  });
});

describe('two boards that differ by robots', () => {
  const players = { name: 'top-players', type: 'TopPlayers', season: SEASON };
  const people = { ...players, name: 'top-people', people: true };
  const game = resource(
    { leaderboards: [players, people, { name: 'top-teams', type: 'TopTeams', season: SEASON }] },
    'arcade',
  );
  const leaderOf = async (page: Page, name: string) => (await shownRows(page, name))[0]?.[1];

  it('share a panel, with a switch that is accessible, fits a phone and works without JavaScript', async () => {
    const fed = await serveDashboard(game, cleanup);
    const ofPeople = { boards: fed.boards.filter(({ definition }) => definition.peopleOf), stats: fed.stats };
    fill(fed, PLAYERS);
    fill(ofPeople, PLAYERS.slice(1));
    const see = async (page: Page) => {
      expect(await leaderOf(page, 'top-players')).toBe(PLAYERS[0]?.user_id);
      await page.getByRole('navigation', { name: 'Players' }).getByText('People').click();
      await page.waitForURL('**/?people=true&theme=dark');
      expect(await page.locator('.panel').count()).toBe(2);
      expect(await leaderOf(page, 'top-people')).toBe(PLAYERS[1]?.user_id);
      await screenshot(page, 'people-phone');
      expect(await violations(page)).toEqual([]);
      expect(await scrollsSideways(page)).toBe(false);
      await connected(page);
      fill(ofPeople, PLAYERS.slice(2));
      await expect.poll(() => leaderOf(page, 'top-people'), SOON).toBe(PLAYERS[2]?.user_id);
    };
    await look(`${fed.url}/?theme=dark`, PHONE, see, ['reloaded']);
    const { page } = await visit(browser, `${fed.url}/boards/top-people`, { javaScriptEnabled: false });
    await screenshot(page, 'people');
    await page.getByText('All', { exact: true }).click();
    await page.waitForURL('**/boards/top-players');
  });
});

describe('a page that gets hundreds of frames', () => {
  it('has as many nodes as before, text among them', async () => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    const page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
    // The test is the other end of the socket.
    const opened = Promise.withResolvers<WebSocketRoute>();
    await page.routeWebSocket('**/ws', opened.resolve);
    await page.goto(fed.url);
    const socket = await opened.promise;
    const release = (await page.locator('#clock').getAttribute('data-release')) ?? '';
    const colors = new TeamColors(fed.boards, Date.now);
    /** The frame in which this one leads, by the renderers that the server has. */
    const frame = (leader: number): string => {
      fill(fed, [...PLAYERS.slice(leader), ...PLAYERS.slice(0, leader)]);
      const now = Date.now();
      const look = { season: 'this', now, pipeline: 'live', colors } as const;
      const times = { untilMillis: now, sinceMillis: now, countedUntilMillis: now, readUntilMillis: now };
      const state = { kind: 'live', ...times } as const;
      const parts = fed.boards.map((board) => ({
        id: `board-${board.definition.name}`,
        html: renderBoard(createPanel(board, look)),
      }));
      parts.push({
        id: 'traffic',
        html: renderTraffic(createTraffic(fed.stats, state, now, true)),
      });
      parts.push({
        id: 'freshness',
        html: renderFreshness(createFreshness(fed.stats, new ScreenDelays(), now)),
      });
      parts.push({
        id: 'status',
        html: renderStatus(createStatus(state, { stalled: '', replaced: '' })),
      });
      return renderFrame(parts, { now, release });
    };
    const frames = PLAYERS.map((_, leader) => frame(leader));
    const play = async (leaders: number[]) => {
      for (const leader of leaders) socket.send(frames[leader] ?? '');
      const shown = async () => (await shownRows(page, 'top-players'))[0]?.[1];
      await expect.poll(shown, SOON).toBe(PLAYERS[leaders.at(-1) ?? 0]?.user_id);
    };
    const nodes = () =>
      page.locator('html').evaluate(({ ownerDocument }) => {
        const walker = ownerDocument.createTreeWalker(ownerDocument);
        let count = 0;
        while (walker.nextNode()) count += 1;
        return count;
      });
    await play([0, 1]);
    const before = await nodes();
    await play([...Array.from({ length: 250 }, (_, index) => index % 9), 9]);
    await play([1]);
    expect(await nodes()).toBe(before);
    await page.context().close();
  });
});

describe('rows that move', () => {
  it('stand in the order of their ranks, clear of each other, in every frame', async () => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 1600 } })).newPage();
    await page.goto(fed.url);
    await connected(page);
    const seen = page.evaluate<{ moving: number; wrong: string[] }>(`new Promise((resolve) => {
      const until = Date.now() + 30_000;
      const wrong = [];
      let moving = 0;
      const middle = (row) => (({ top, bottom }) => (top + bottom) / 2)(row.querySelector('.who').getBoundingClientRect());
      const look = () => {
        const moves = document.getAnimations().some(({ effect }) => effect.target?.matches('tr'));
        if (moves) moving += 1;
        for (const body of document.querySelectorAll('tbody')) {
          const rows = [...body.rows];
          rows.forEach((row, index) => {
            if (row.querySelector('.rank').textContent !== String(index + 1)) wrong.push(row.textContent);
            if (index > 0 && middle(row) - middle(rows[index - 1]) < 12) wrong.push(row.textContent);
          });
        }
        if (moving >= 10 || Date.now() > until) resolve({ moving, wrong });
        else requestAnimationFrame(look);
      };
      look();
    })`);
    let over = false;
    const end = () => {
      over = true;
    };
    seen.then(end, end);
    for (let turn = 1; !over; turn += 1) {
      fill(fed, [...PLAYERS.slice(turn % 10), ...PLAYERS.slice(0, turn % 10)]);
      await sleep(50);
    }
    const { moving, wrong } = await seen;
    expect(moving).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('a page that is left open', () => {
  /** Time passes as the test says. */
  async function stay(url: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await page.clock.install();
    await page.goto(url);
    await connected(page);
    return page;
  }

  it('says a new leader to those who listen, but not at once', async () => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    const page = await stay(fed.url);
    fill(fed, PLAYERS.toReversed());
    await expect.poll(async () => (await shownRows(page, 'top-teams'))[0]?.[1], SOON).toBe('Mint Hare');
    expect(await page.locator('#announcer').textContent()).toBe('');
    await page.clock.fastForward(30_000);
    expect(await page.locator('#announcer').textContent()).toContain('Top Teams: Mint Hare leads.');
    await page.context().close();
  });

  it('has times that tick, but where a panel is paused, which says since when and that there is news', async () => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    const page = await stay(fed.url);
    await page.getByRole('button', { name: 'Pause Top Teams' }).click();
    await page.getByRole('button', { name: 'Pause Hot Streakers' }).click();
    const panel = (board: string) => page.locator('.panel', { has: page.locator(`#board-${board}`) });
    const texts = (selector: string) => page.locator(selector).allTextContents();
    const held = () => panel('top-teams').locator('.held').innerText();
    expect(await held()).toMatch(/^paused \d\d:\d\d:\d\d UTC, just now$/);
    const [countdown, peaks] = [
      await texts('#board-top-teams .period'),
      await texts('#board-hot-streakers td.time'),
    ];
    expect(countdown[0]).toMatch(/season ends in/);
    expect(peaks[0]).toMatch(/s ago$/);
    await page.clock.fastForward(120_000);
    expect(await held()).toMatch(/^paused \d\d:\d\d:\d\d UTC, 2 min ago$/);
    expect(await texts('#board-top-teams .period')).toEqual(countdown);
    expect(await texts('#board-hot-streakers td.time')).toEqual(peaks);
    expect(await texts('#board-top-players .period')).not.toEqual(countdown);
    fill(fed, PLAYERS.toReversed());
    await expect.poll(held, SOON).toMatch(/, newer scores wait$/);
    expect((await shownRows(page, 'top-teams'))[0]?.[1]).toBe('Azure Otter');
    await page.getByRole('button', { name: 'Resume Top Teams' }).click();
    expect((await shownRows(page, 'top-teams'))[0]?.[1]).toBe('Mint Hare');
    expect(await panel('top-teams').locator('.held').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Resume Hot Streakers' }).click();
    await page.clock.fastForward(120_000);
    expect(await texts('#board-hot-streakers td.time')).not.toEqual(peaks);
    await page.context().close();
  });

  it('shows how the places of one board changed, but where it is paused', async () => {
    const fed = await serveDashboard(arcade, cleanup);
    fill(fed, PLAYERS);
    for (const board of fed.boards) board.note(Date.now() - 60_000);
    fill(fed, PLAYERS.toReversed());
    const page = await stay(`${fed.url}/boards/top-teams`);
    const [then, now] = ['Places then', 'Places now'].map((name) => page.getByRole('list', { name }));
    await expect.poll(() => now?.locator('li').first().textContent(), SOON).toBe('Mint Hare');
    expect(await then?.locator('li').first().textContent()).toBe('Azure Otter');
    expect(await page.locator('.rank-chart path').count()).toBe(PLAYERS.length);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Pause Top Teams' }).click();
    for (const board of fed.boards) board.publish(new Board(board.definition));
    await expect.poll(() => page.locator('.panel[data-news]').count(), SOON).toBe(1);
    await page.waitForTimeout(1000);
    expect(await now?.isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Resume Top Teams' }).click();
    expect(await now?.isVisible()).toBe(false);
    await page.context().close();
  });

  it('reloads when another release is served', async () => {
    const page = await stay(urlOf('live'));
    await page.locator('#clock').evaluate((clock) => {
      clock.dataset.release = 'another';
      clock.setAttribute('value', String(Number(clock.getAttribute('value')) + 1));
    });
    const loaded = page.waitForEvent('load');
    await page.clock.fastForward(15_000);
    await loaded;
    await page.context().close();
  });
});

describe('a dashboard with a sign-in, below a path', () => {
  const credentials = { username: 'ann', password: 'sésame' };
  let fed: HandFed;
  beforeAll(async () => {
    fed = await serveDashboard(arcade, cleanup, {
      basePath: '/games/arcade',
      credentials: () => credentials,
    });
    fill(fed, PLAYERS);
  });

  it('is live for those who sign in, on every page', async () => {
    await look(fed.url, { httpCredentials: credentials }, async (page) => {
      expect(new URL(page.url()).pathname).toBe('/games/arcade/');
      fill(fed, PLAYERS.toReversed());
      await expect.poll(async () => (await shownRows(page, 'top-teams'))[0]?.[1], SOON).toBe('Mint Hare');
    });
    await look(`${fed.url}/games/arcade/boards/top-teams`, { httpCredentials: credentials }, async (page) => {
      expect(await page.locator('.panel').count()).toBe(1);
    });
  });

  it('shows nobody else anything', async () => {
    const context = await browser.newContext({ httpCredentials: { ...credentials, password: 'open' } });
    const page = await context.newPage();
    const response = await page.goto(`${fed.url}/games/arcade/`);
    expect(response?.status()).toBe(401);
    expect(await page.locator('body').textContent()).not.toContain('Otter');
    await context.close();
  });
});

describe('the weight of the page', () => {
  /** As a browser loads it; `fetch` would unpack it. */
  const bytesOf = async (url: string): Promise<number> => {
    const [response] = (await once(get(url, { headers: { 'accept-encoding': 'br' } }), 'response')) as [
      IncomingMessage,
    ];
    expect(response.headers['content-encoding']).toBe('br');
    return (await buffer(response)).byteLength;
  };

  it('is under 100 KB with all that it loads, compressed', async () => {
    const url = urlOf('live');
    const html = await (await fetch(url)).text();
    const assets = [...html.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map(
      ([, asset]) => `${url}/${asset}`,
    );
    expect(assets).toHaveLength(5);
    const bytes = await Promise.all([url, ...assets].map(bytesOf));
    process.stderr.write(`  the page, its icon, style and scripts: ${bytes.join(' + ')} bytes\n`);
    expect(bytes.reduce((sum, one) => sum + one)).toBeLessThan(100_000);
  });
});
