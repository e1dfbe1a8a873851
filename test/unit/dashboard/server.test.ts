import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eachReason, REASONS } from '../../../contract/stats.ts';
import type { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../../dashboard/events-watch.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { TopicState } from '../../../dashboard/topic-state.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import type { History } from '../../../dashboard/web/past-boards.ts';
import { createServer, type ServerOptions } from '../../../dashboard/web/server.ts';
import { listenAddress } from '../../../lib/listen-address.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import {
  boardOf,
  HOUR,
  instant,
  NOW,
  player,
  record,
  SEASON,
  season,
  streakers,
  team,
  topTeams,
} from './fixtures.ts';
import { listen, serve } from './served.ts';

let app: FastifyInstance;
let boards: LiveBoard[];
let teams: Board;
let stats: TopicState<Stats>;
let events: EventsWatch;
let histories: Map<string, History>;

beforeEach(async () => {
  teams = boardOf(topTeams, [season([team('a', 20), team('b', 10)])]);
  boards = [new LiveBoard(topTeams), new LiveBoard(streakers)];
  boards[0]?.publish(teams);
  stats = new TopicState(new Stats());
  events = new EventsWatch();
  histories = new Map();
  const now = () => NOW;
  const metrics = new Metrics(boards, now);
  const log = pino({ level: 'silent' });
  app = await createServer({ title: 'Arcade & <Co>', boards, histories, stats, events, metrics, log, now });
});

afterEach(() => app.close());

describe('the page', () => {
  it('comes complete: boards, escaped title, no inline script or style', async () => {
    const { statusCode, body, headers } = await app.inject('/');
    expect(statusCode).toBe(200);
    expect(body).toContain('<title>Arcade &amp; &lt;Co&gt;</title>');
    expect(body).toMatch(
      /id="board-top-teams".*Team a.*Team b.*id="board-hot-streakers".*Waiting for Kafka/s,
    );
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    expect(headers['content-security-policy']).toContain("script-src 'self'");
  });

  it('names assets that exist, may be kept forever, and are served with their type', async () => {
    const { body } = await app.inject('/');
    const urls = [...body.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map((match) => match[1]);
    expect(urls).toHaveLength(5);
    for (const url of urls) {
      const { statusCode, headers } = await app.inject(`/${url}`);
      expect(statusCode).toBe(200);
      expect(headers['cache-control']).toContain('immutable');
      expect(headers['content-type']).toMatch(/css|javascript|svg/);
    }
  });

  it('names the modules of its script by their URLs', async () => {
    const { body } = await app.inject('/');
    const script = body.match(/<script type="module" src="([^"]+)"/)?.[1];
    const modules = [...(await app.inject(`/${script}`)).body.matchAll(/^import .* from '\.\/(.+)';$/gm)];
    expect(modules.map(([, file]) => file)).toEqual([expect.stringMatching(/^search-[0-9a-f]{12}\.js$/)]);
    for (const [, file] of modules)
      expect(body).toContain(`<link rel="modulepreload" href="assets/${file}">`);
  });
});

describe('the API', () => {
  it('lists the boards', async () => {
    const { boards: listed } = (await app.inject('/api/boards')).json();
    expect(listed).toEqual([
      {
        name: 'top-teams',
        title: 'Top Teams',
        size: 3,
        status: 'live',
        digest: topTeams.digest,
        history: false,
        url: '/api/boards/top-teams',
      },
      {
        name: 'hot-streakers',
        title: 'Hot Streakers',
        size: 3,
        status: 'waiting',
        digest: streakers.digest,
        history: false,
        url: '/api/boards/hot-streakers',
      },
    ]);
  });

  it('gives a board with its season and all its values', async () => {
    const board = (await app.inject('/api/boards/top-teams')).json();
    expect(board).toMatchObject({
      season: {
        start: new Date(SEASON).toISOString(),
        end: new Date(SEASON + HOUR).toISOString(),
        over: false,
      },
      updatedAt: new Date(NOW).toISOString(),
      rows: [
        { rank: 1, team_id: 'a', team_name: 'Team a', total_score: 20 },
        { rank: 2, team_id: 'b', team_name: 'Team b', total_score: 10 },
      ],
    });
  });

  it('gives a board with its instant', async () => {
    boards[1]?.publish(boardOf(streakers, [instant([player('u', 1.5)])]));
    const board = (await app.inject('/api/boards/hot-streakers')).json();
    expect(board).toMatchObject({
      asOf: new Date(NOW).toISOString(),
      rows: [{ rank: 1, peak_hotness: 1.5 }],
    });
  });

  it.each(['/api/boards/nothing', '/nothing'])('answers %s with 404 in JSON', async (url) => {
    const response = await app.inject(url);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({ error: expect.any(String) });
  });
});

describe('a board of the past', () => {
  const EARLIER = SEASON + 60_000;
  const at = (moment: string | number) => app.inject(`/api/boards/top-teams?at=${moment}`);

  it('comes as the board of now does, with its moment', async () => {
    histories.set('top-teams', async (atMillis) =>
      boardOf(topTeams, [season([team('b', 5)])], atMillis).view(atMillis),
    );
    const { at: moment, ...past } = (await at(EARLIER)).json();
    const { rows, updatedAt, ...shared } = (await app.inject('/api/boards/top-teams')).json();
    expect(moment).toBe(new Date(EARLIER).toISOString());
    expect(past).toEqual({
      ...shared,
      updatedAt: moment,
      rows: [{ rank: 1, team_id: 'b', team_name: 'Team b', total_score: 5 }],
    });
    expect(shared.history).toBe(true);
  });

  it('is refused with 404 where none is kept, of the board or of the time', async () => {
    expect((await at(EARLIER)).json()).toEqual({ error: 'this board keeps no history' });
    histories.set('top-teams', async () => undefined);
    const response = await at(EARLIER);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({ error: `nothing is kept of ${new Date(EARLIER).toISOString()}` });
  });

  it.each([
    ['a word', 'yesterday', /^at must be epoch milliseconds, or ISO 8601/],
    ['nothing', '', /^at must be/],
    ['two moments', `${EARLIER}&at=${EARLIER}`, /^at must be/],
    ['the future', NOW + 1, /^at is in the future$/],
  ])('is refused with 400 for %s', async (_, moment, sentence) => {
    histories.set('top-teams', async () => undefined);
    const response = await at(moment);
    expect(response.statusCode).toBe(400);
    expect(response.json().error).toMatch(sentence);
  });

  it('is looked for a few at a time: others learn when to come again', async () => {
    const gate = Promise.withResolvers<undefined>();
    histories.set('top-teams', () => gate.promise);
    const waiting = Promise.all(Array.from({ length: 4 }, () => at(EARLIER)));
    const refused = await at(EARLIER);
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    gate.resolve(undefined);
    expect((await waiting).map(({ statusCode }) => statusCode)).toEqual([404, 404, 404, 404]);
    expect((await at(EARLIER)).statusCode).toBe(404);
  });

  it('is refused with 503 while the history cannot be read, without a word from inside', async () => {
    histories.set('top-teams', async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1:9092');
    });
    const response = await at(EARLIER);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
    expect(response.json()).toEqual({ error: 'the history cannot be read just now; try again' });
  });
});

describe('the counts', () => {
  it('come with the rate, and the age of the newest event', async () => {
    const counts = {
      ...NO_STATS,
      events: 100,
      late_events: 1,
      robot_events: 2,
      uncounted_events: 3,
      undecodable_messages: 4,
      active_players: 5,
      active_teams: 6,
      newest_event_time: NOW - 1500,
      uncounted_no_score: 3,
      uncounted_reason: 'score is missing, or no number',
      example_no_score: 'user_id=xxx score=NULL',
    };
    const reasons = { ...eachReason(() => 0), malformed: 4, no_score: 3 };
    const content = new Stats();
    content.apply(record({ slot_start: NOW - 20_000 }, counts), NOW);
    stats.publish(content);
    events.sawRead(NOW);
    expect((await app.inject('/api/stats')).json()).toEqual({
      now: new Date(NOW).toISOString(),
      status: 'live',
      pipeline: {
        state: 'live',
        since: new Date(NOW).toISOString(),
        countedUntil: new Date(NOW - 15_000).toISOString(),
        lastCountAt: new Date(NOW).toISOString(),
      },
      // Of three slots, the last two without events.
      eventsPerSecond: 100 / 15,
      eventToScreen: null,
      totals: {
        events: 100,
        lateEvents: 1,
        robotEvents: 2,
        uncountedEvents: 3,
        undecodableMessages: 4,
        notCounted: reasons,
      },
      examples: { no_score: 'user_id=xxx score=NULL' },
      newestEventTime: new Date(NOW - 1500).toISOString(),
      ageMillis: 1500,
      slots: [
        {
          start: new Date(NOW - 20_000).toISOString(),
          events: 100,
          lateEvents: 1,
          robotEvents: 2,
          uncountedEvents: 3,
          undecodableMessages: 4,
          activePlayers: 5,
          activeTeams: 6,
          notCounted: reasons,
          newestEventTime: new Date(NOW - 1500).toISOString(),
          uncountedReason: 'score is missing, or no number',
        },
      ],
    });
  });

  it('are none until they have been read', async () => {
    expect((await app.inject('/api/stats')).json()).toMatchObject({
      status: 'waiting',
      pipeline: { state: 'waiting', countedUntil: null, lastCountAt: null },
      eventsPerSecond: null,
      newestEventTime: null,
      ageMillis: null,
      slots: [],
    });
  });
});

describe('the probes', () => {
  it('say alive at once, and ready when every board was read to its end, with reasons until then', async () => {
    boards[1]?.markUnavailable('topic arcade-hot does not exist');
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    const waiting = await app.inject('/readyz');
    expect(waiting.statusCode).toBe(503);
    expect(waiting.json().boards[1]).toMatchObject({
      kind: 'waiting',
      reason: 'topic arcade-hot does not exist',
    });
    boards[1]?.publish(boardOf(streakers, []));
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });

  it('stay ready when Kafka goes away later', async () => {
    boards[1]?.publish(boardOf(streakers, []));
    boards[1]?.markUnavailable('connect ECONNREFUSED');
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });

  it('offer metrics, with the age of each board that has data', async () => {
    const { body } = await app.inject('/metrics');
    expect(body).toContain('dashboard_data_age_seconds{board="top-teams"} 0');
    expect(body).toContain('dashboard_malformed_records_total{board="hot-streakers"} 0');
    expect(body).toContain('dashboard_sockets 0');
    expect(body).toContain('process_cpu_seconds_total');
  });

  it('tell Prometheus the state of the pipeline, which is one of several', async () => {
    stats.publish(new Stats());
    events.unanswered();
    const { body } = await app.inject('/metrics');
    expect(body.match(/^dashboard_pipeline_state\{.*\} 1$/gm)).toEqual([
      'dashboard_pipeline_state{state="unavailable"} 1',
    ]);
    expect(body.match(/^dashboard_pipeline_state\{.*\} 0$/gm)).toHaveLength(6);
    expect(body).toContain('dashboard_pipeline_state_seconds 0');
    expect(body).toContain('dashboard_pipeline_behind_seconds 0');
    expect(body).toContain('dashboard_events_last_5m{kind="undecodable_messages"} 0');
    for (const { id } of REASONS) expect(body).toContain(`dashboard_not_counted_last_5m{reason="${id}"} 0`);
  });
});

describe('the socket', () => {
  const address = async () => {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
    return `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  };

  /** A socket, and its messages as they come. */
  async function connect() {
    const socket = new WebSocket(`ws://${await address()}/ws`);
    const waiting: ((frame: string) => void)[] = [];
    const frames: string[] = [];
    socket.addEventListener('message', ({ data }) => {
      const next = waiting.shift();
      if (next) next(data);
      else frames.push(data);
    });
    const next = () => {
      const frame = frames.shift();
      return frame === undefined
        ? new Promise<string>((resolve) => waiting.push(resolve))
        : Promise.resolve(frame);
    };
    return { socket, next };
  }

  it('gives everyone a snapshot and then the same updates', async () => {
    const viewers = [await connect(), await connect()];
    const snapshots = await Promise.all(viewers.map((viewer) => viewer.next()));
    for (const snapshot of snapshots) expect(snapshot).toMatch(/#board-top-teams.*#board-hot-streakers/s);

    teams.apply(season([team('new', 30)]), NOW);
    const [one, two] = await Promise.all(viewers.map((viewer) => viewer.next()));
    expect(one).toContain('Team new');
    expect(one).not.toContain('#board-hot-streakers');
    expect(one).toBe(two);
    for (const { socket } of viewers) socket.close();
  });

  it('closes with 1012 when the server stops, so that pages connect again', async () => {
    const { socket, next } = await connect();
    await next();
    const closed = once(socket, 'close') as unknown as Promise<[CloseEvent]>;
    await app.close();
    expect((await closed)[0].code).toBe(1012);
  });

  it('closes on a client that talks, and on frames too large', async () => {
    for (const [message, code] of [
      ['hello', 1008],
      ['x'.repeat(5000), 1009],
    ] as const) {
      const { socket, next } = await connect();
      await next();
      const closed = once(socket, 'close') as unknown as Promise<[CloseEvent]>;
      socket.send(message);
      expect((await closed)[0].code).toBe(code);
    }
  });

  it.each([
    ['another site', { origin: 'https://evil.example' }, 403],
    ['nowhere', { origin: 'null' }, 403],
    ['no site at all', { origin: 'file:///etc/passwd' }, 403],
    ['its own page', { origin: 'http://games.example:8080', host: 'games.example:8080' }, 101],
    ['its own page, on another port', { origin: 'http://games.example', host: 'games.example:8080' }, 403],
    [
      'its own page, whose port is the default',
      { origin: 'https://games.example', host: 'games.example:443' },
      101,
    ],
    [
      'its own page, whose port is that of another scheme',
      { origin: 'http://games.example', host: 'games.example:443' },
      403,
    ],
    ['a program, which says nothing', {}, 101],
    [
      'its own page, behind a proxy that is not trusted',
      { origin: 'https://games.example', 'x-forwarded-host': 'games.example' },
      403,
    ],
  ])('answers a page of %s', async (_, headers, status) => {
    expect(await upgraded(await address(), headers)).toBe(status);
  });

  it('answers nobody who names no host', async () => {
    const socket = createConnection(Number((await address()).split(':')[1]), '127.0.0.1');
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
    socket.write(`GET /ws HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.[01] 403 /);
    socket.destroy();
  });
});

describe('the socket behind a proxy that rewrites Host', () => {
  const served = async (options: Partial<ServerOptions>) => {
    const { app } = await serve(options);
    after.push(app);
    return listen(app);
  };
  const after: FastifyInstance[] = [];
  afterEach(() => Promise.all(after.splice(0).map((app) => app.close())));
  const PAGE = { origin: 'https://games.example' };

  it('is for the page of the host that a trusted proxy names', async () => {
    const host = await served({ trustedProxies: ['127.0.0.0/8'] });
    expect(await upgraded(host, { ...PAGE, 'x-forwarded-host': 'games.example' })).toBe(101);
    expect(await upgraded(host, { ...PAGE, 'x-forwarded-host': 'games.example:443' })).toBe(101);
    expect(
      await upgraded(host, { origin: 'https://evil.example', 'x-forwarded-host': 'games.example' }),
    ).toBe(403);
  });

  it('is for pages of the origins that are allowed', async () => {
    const host = await served({ allowedOrigins: ['https://games.example'] });
    expect(await upgraded(host, PAGE)).toBe(101);
    expect(await upgraded(host, { origin: 'https://games.example:443' })).toBe(101);
    expect(await upgraded(host, { origin: 'http://games.example' })).toBe(403);
    expect(await upgraded(host, { origin: 'https://games.example.evil.example' })).toBe(403);
  });
});

it('the server listens on IPv6 and on IPv4 alike, and knows who asks', async () => {
  const { app } = await serve({ trustedProxies: ['127.0.0.0/8'] });
  await app.listen({ host: listenAddress('::'), port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const hosts = listenAddress('::') === '::' ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'];
  for (const host of hosts) expect((await fetch(`http://${host}:${port}/healthz`)).status, host).toBe(200);
  const proxied = { origin: 'https://games.example', 'x-forwarded-host': 'games.example' };
  expect(await upgraded(`127.0.0.1:${port}`, proxied)).toBe(101);
  expect(listenAddress('127.0.0.1')).toBe('127.0.0.1');
  await app.close();
});

/** The status with which a WebSocket is answered. */
async function upgraded(address: string, more: Record<string, string>): Promise<unknown> {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    ...more,
  };
  const asked = request(`http://${address}/ws`, { headers }).end();
  return new Promise((resolve, reject) => {
    asked.on('response', (response) => resolve(response.statusCode));
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
  });
}
