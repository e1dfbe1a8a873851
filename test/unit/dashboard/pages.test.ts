import { brotliDecompressSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import type { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../../dashboard/events-watch.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { TopicState } from '../../../dashboard/topic-state.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import { computeRelease } from '../../../dashboard/web/pages.ts';
import { createServer } from '../../../dashboard/web/server.ts';
import {
  boardOf,
  countries,
  HOUR,
  liveBoardOf,
  NOW,
  ofValue,
  peopleTeams,
  SEASON,
  season,
  streakers,
  TOP_TEAMS_JSON,
  team,
  topTeams,
} from './fixtures.ts';

/** After all others in order. */
const HOSTILE = `x"><script>alert('&')</script>`;

let boards: LiveBoard[];
let app: FastifyInstance;

beforeEach(() =>
  start([
    liveBoardOf(topTeams, [season([team('a', 20), team('b', 10)]), season([team('old', 5)], SEASON - HOUR)]),
    liveBoardOf(streakers, []),
  ]),
);
afterEach(() => app.close());

async function start(all: LiveBoard[]): Promise<void> {
  boards = all;
  const now = () => NOW;
  const stats = new TopicState(new Stats());
  stats.publish(new Stats());
  app = await createServer({
    title: 'Arcade',
    boards,
    histories: new Map(),
    stats,
    events: new EventsWatch(),
    metrics: new Metrics(boards, now),
    log: pino({ level: 'silent' }),
    now,
  });
}

const pageOf = async (url: string) => (await app.inject(url)).body;
/** URLs as templates write them: `=` and `&` are escaped within attributes. */
const urlsOf = (html: string) =>
  [...html.matchAll(/ (?:href|action|src|hx-ws:connect)="([^"]*)"/g)].map(([, url = '']) =>
    url.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&'),
  );

describe('two boards of which one is of people alone', () => {
  const byValue = { by: { name: 'country', label: 'Country', maxValues: 3 } };
  beforeEach(async () => {
    await app.close();
    const [all, people] = [topTeams, peopleTeams].map((board) =>
      boardDefinition.parse({ ...board, ...byValue }),
    );
    await start([
      liveBoardOf(people!, [ofValue('NO', [team('person', 5)])]),
      liveBoardOf(streakers, []),
      liveBoardOf(all!, [ofValue('NO', [team('robot', 9)])]),
    ]);
  });
  const panels = (html: string) =>
    [...html.matchAll(/class="board" id="board-([^"]*)"/g)].map(([, id]) => id);
  const choices = (html: string) =>
    [...html.matchAll(/<a href="([^"]*)"( aria-current="true")?>(All|People)<\/a>/g)].map(
      ([, url = '', current, label]) => [
        label,
        url.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&'),
        !!current,
      ],
    );

  it('share a panel, with a switch for the page', async () => {
    const [all, people] = [await pageOf('/'), await pageOf('/?people=true&theme=dark')];
    expect(panels(all)).toEqual(['hot-streakers', 'top-teams']);
    expect(choices(all)).toEqual([
      ['All', './', true],
      ['People', './?people=true', false],
    ]);
    expect(panels(people)).toEqual(['hot-streakers', 'teams-of-people']);
    expect(choices(people)).toEqual([
      ['All', './?theme=dark', false],
      ['People', './?people=true&theme=dark', true],
    ]);
    expect(people).toContain('Team person');
    expect(people).toContain('<input type="hidden" name="people" value="true">');
    expect(urlsOf(people)).toContain('ws?people=true&by.top-teams=NO');
    expect(urlsOf(people)).toContain('api/boards/teams-of-people?by=NO');
  });

  it('have a page each, which leads to the other, with the same value', async () => {
    const html = await pageOf('/boards/teams-of-people?by.top-teams=SE');
    expect(panels(html)).toEqual(['teams-of-people']);
    expect(choices(html)).toEqual([
      ['All', 'top-teams?by.top-teams=SE', false],
      ['People', 'teams-of-people?people=true&by.top-teams=SE', true],
    ]);
    expect(urlsOf(html)).toContain('../?people=true&by.top-teams=SE');
    expect(choices(await pageOf('/boards/top-teams?people=true'))[0]).toEqual(['All', 'top-teams', true]);
    const { headers } = await app.inject('/boards/teams-of-people/SE');
    expect(headers.location).toBe('../teams-of-people?by.top-teams=SE');
  });

  it('are boards of their own in the API', async () => {
    const { boards: listed } = (await app.inject('/api/boards')).json();
    expect(listed.map(({ name }: { name: string }) => name)).toEqual(
      boards.map(({ definition }) => definition.name),
    );
  });
});

it('has no switch of people where no board has another without robots', async () => {
  expect(await pageOf('/')).not.toContain('aria-label="Players"');
});

describe('the past seasons of a board', () => {
  const earlier = SEASON - 2 * HOUR;
  beforeEach(async () => {
    await app.close();
    await start([
      liveBoardOf(topTeams, [
        season([team('a', 20)]),
        season([team('old', 5)], SEASON - HOUR),
        season([team('<b>', 7), team('c', 6)], earlier),
      ]),
      liveBoardOf(streakers, []),
    ]);
  });
  const offered = (html: string) =>
    [
      ...html.matchAll(/<a href="([^"]*)"( aria-current="true")?><time [^>]*>([^<]*)<\/time> <bdi>([^<]*)/g),
    ].map(([, url = '', current, began, winner]) => [
      url.replaceAll('&#x3D;', '='),
      current !== undefined,
      began,
      winner,
    ]);

  it('are on its own page, the newest first, each with its winner', async () => {
    expect(offered(await pageOf('/boards/top-teams'))).toEqual([
      [`top-teams?season=${SEASON - HOUR}`, false, '24 Nov, 15:00 UTC', 'Team old'],
      [`top-teams?season=${earlier}`, false, '24 Nov, 14:00 UTC', 'Team &lt;b&gt;'],
    ]);
    expect(offered(await pageOf('/'))).toEqual([]);
    expect(offered(await pageOf('/boards/hot-streakers'))).toEqual([]);
  });

  it.each([
    [{ every: 'Day', timeZone: 'Europe/Berlin' }, '2025-11-22T23:00Z', 'Sun 23 Nov'],
    [
      { every: 'Week', timeZone: 'Pacific/Auckland', weekStart: 'Sunday' },
      '2025-11-15T11:00Z',
      'Week of 16 Nov',
    ],
    [{ every: 'Month', timeZone: 'America/New_York' }, '2025-10-01T04:00Z', 'October 2025'],
  ])('have the name of their day, week or month in the time zone of %j', async (calendar, began, name) => {
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, period: { kind: 'season', calendar } });
    await app.close();
    await start([
      liveBoardOf(definition, [season([team('a', 20)]), season([team('old', 5)], Date.parse(began))]),
    ]);
    expect(offered(await pageOf('/boards/top-teams')).map(([, , text]) => text)).toEqual([name]);
  });

  it('are shown one by one, with all that belongs to them', async () => {
    const html = await pageOf(`/boards/top-teams?season=${earlier}`);
    expect(html).toMatch(/season ended.*Team &lt;b&gt;.*Team c/s);
    expect(html).not.toContain('Team a');
    expect(offered(html).map(([, current]) => current)).toEqual([false, true]);
    expect(html).not.toMatch(/<a [^>]*aria-current="true"[^>]*>(This|Last) season/);
    expect(urlsOf(html)).toEqual(
      expect.arrayContaining([
        `../ws?board=top-teams&season=${earlier}`,
        `../api/boards/top-teams.csv?season=${earlier}`,
      ]),
    );
  });

  it('are none where nothing is kept, and the page says so', async () => {
    const html = await pageOf(`/boards/top-teams?season=${SEASON - 9 * HOUR}`);
    expect(html).toContain('Nothing is kept of this season.');
    expect(urlsOf(html).filter((url) => url.includes('/api/'))).toEqual([]);
  });

  it('are of one board: for all boards, a moment is no season', async () => {
    const html = await pageOf(`/?season=${earlier}`);
    expect(html).toContain('Team a');
    expect(urlsOf(html)).toContain('ws');
  });
});

describe('a board by value', () => {
  beforeEach(async () => {
    await app.close();
    await start([
      ...boards,
      liveBoardOf(countries, [
        ofValue('SE', [team('s', 5)]),
        ofValue(HOSTILE, [team('h', 5)]),
        ofValue('NO', [team('n', 9)]),
        ofValue('NO', [team('old-n', 3)], SEASON - HOUR),
      ]),
    ]);
  });
  const panelOf = (html: string) =>
    /<section class="panel"[^>]*countries.*?<\/section>/s.exec(html)?.[0] ?? '';

  it('shows the first value, and has the socket stay with it', async () => {
    const html = await pageOf('/');
    expect(panelOf(html)).toMatch(/<span>Country<\/span> <strong><bdi>NO<\/bdi>.*Team n/s);
    expect(urlsOf(html)).toContain('ws?by.countries=NO');
    expect(urlsOf(html)).toContain('api/boards/countries.csv?by=NO');
  });

  it('shows the value of the URL, and keeps it in all links', async () => {
    const html = await pageOf('/?by.countries=SE&theme=dark');
    expect(panelOf(html)).toContain('Team s');
    expect(panelOf(html)).not.toContain('Team n');
    expect(urlsOf(html)).toEqual(
      expect.arrayContaining([
        'ws?by.countries=SE',
        'boards/countries?theme=dark&by.countries=SE',
        './?season=last&theme=dark&by.countries=SE',
        'api/boards/countries?by=SE',
      ]),
    );
    expect(html).toContain('<input type="hidden" name="by.countries" value="SE">');
    expect(panelOf(await pageOf('/boards/countries?by.countries=SE'))).toContain('Team s');
  });

  it('offers the values, whatever they are, as text', async () => {
    const html = panelOf(await pageOf('/'));
    const options = [...html.matchAll(/<option value="([^"]*)">/g)].map(([, value]) => value);
    expect(options).toEqual(['NO', 'SE', 'x&quot;&gt;&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;']);
    const hostile = await pageOf(`/?by.countries=${encodeURIComponent(HOSTILE)}`);
    expect(panelOf(hostile)).toContain('Team h');
    expect(hostile.match(/<script/g)).toHaveLength(html.length > 0 ? 2 : 0);
  });

  it('has those of the last season on its page', async () => {
    const html = panelOf(await pageOf('/?season=last'));
    expect(html).toContain('Team old-n');
    expect(html.match(/<option /g)).toHaveLength(1);
  });

  it('says of a value without scores that it has none', async () => {
    const html = panelOf(await pageOf(`/?by.countries=${encodeURIComponent('<b>DK')}`));
    expect(html).toMatch(/<bdi>&lt;b&gt;DK<\/bdi>.*This value has no scores in this season/s);
    expect(html).not.toContain('.csv');
  });

  it('says how many values are left out', async () => {
    boards[2]?.content.apply(ofValue('DK', [team('d', 1)]), NOW);
    expect(panelOf(await pageOf('/?by.countries=DK'))).toContain('1 that changed longer ago are not kept');
  });
});

describe('the page of all boards', () => {
  it('highlights who is looked for', async () => {
    const html = await pageOf('/?q=TEAM%20A');
    expect(html.match(/<tr [^>]*data-found/g)).toHaveLength(1);
    expect(html).toContain('1 found');
    // Searches take turns.
    const nobody = () => pageOf('/?q=nobody');
    await expect.poll(nobody, { timeout: 20_000 }).toContain('not among the shown ranks');
  });

  it('shows the last season, and asks the socket for it', async () => {
    const html = await pageOf('/?season=last');
    expect(html).toMatch(/season ended.*Team old/s);
    expect(html).not.toContain('Team a');
    expect(urlsOf(html)).toContain('ws?season=last');
  });

  it('has of the last season the boards that have seasons, and downloads of those that have a last one', async () => {
    const html = await pageOf('/?season=last');
    expect(html).not.toContain('id="board-hot-streakers"');
    expect(html).toMatch(/Last season<\/a>/);
    expect(urlsOf(html)).toContain('api/boards/top-teams?season=last');
    boards[0]?.publish(boardOf(topTeams, [season([team('a', 20)])]));
    await expect.poll(() => pageOf('/?season=last')).toContain('No last season');
    const none = await pageOf('/?season=last');
    expect(none).not.toContain('<span>updated</span>');
    expect(urlsOf(none).filter((url) => url.startsWith('api/'))).toEqual([]);
  });

  it('has the theme of its URL', async () => {
    expect(await pageOf('/?theme=dark')).toContain('data-theme="dark"');
    expect(await pageOf('/')).toContain('data-theme="auto"');
  });

  it('keeps the look in its links, and a search in none that download', async () => {
    const urls = urlsOf(await pageOf('/?season=last&q=a&theme=dark'));
    expect(urls).toContain('boards/top-teams?season=last&q=a&theme=dark');
    expect(urls).toContain('./?q=a&theme=dark');
    expect(urls).toContain('api/boards/top-teams.csv?season=last');
  });

  it('escapes a search', async () => {
    const html = await pageOf(`/?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(html).not.toContain('<script>alert');
  });
});

describe('the page of one board', () => {
  it('has that board alone', async () => {
    const html = await pageOf('/boards/top-teams');
    expect(html).toContain('<title>Top Teams · Arcade</title>');
    expect(html).toContain('id="board-top-teams"');
    expect(html).not.toContain('id="board-hot-streakers"');
  });

  it('is one level deeper: none of its URLs begins at the root', async () => {
    const urls = urlsOf(await pageOf('/boards/top-teams?theme=dark'));
    expect(urls).toContain('../ws?board=top-teams');
    expect(urls).toContain('../?theme=dark');
    expect(urls).toContain('top-teams?season=last&theme=dark');
    expect(urls.filter((url) => /^\/|:/.test(url))).toEqual([]);
    for (const url of urls.filter((one) => one.includes('assets/'))) {
      expect((await app.inject(new URL(url, 'http://x/boards/top-teams').pathname)).statusCode).toBe(200);
    }
  });

  it('offers no season to a board that has none, and shows it as it is now', async () => {
    expect(await pageOf('/boards/hot-streakers')).not.toContain('Last season');
    const asked = await pageOf('/boards/hot-streakers?season=last');
    expect(asked).toContain('No scores yet');
    expect(urlsOf(asked)).toContain('../ws?board=hot-streakers');
  });

  it('says when there is no such board', async () => {
    const { statusCode, body } = await app.inject('/boards/%3Cb%3E');
    expect(statusCode).toBe(404);
    expect(body).toContain('There is no board called <bdi>&lt;b&gt;</bdi>');
  });
});

describe('compression', () => {
  it.each(['/', '/boards/top-teams'])('makes %s smaller for who takes it', async (url) => {
    const { rawPayload, headers } = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } });
    expect(headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' });
    expect(brotliDecompressSync(rawPayload).toString()).toBe(await pageOf(url));
  });
});

describe('a release', () => {
  it('is another when a board is', () => {
    expect(computeRelease('Arcade', boards)).toBe(computeRelease('Arcade', [...boards]));
    expect(computeRelease('Arcade', boards.slice(1))).not.toBe(computeRelease('Arcade', boards));
    expect(computeRelease('Games', boards)).not.toBe(computeRelease('Arcade', boards));
  });
});
