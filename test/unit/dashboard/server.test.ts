import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../../dashboard/events-watch.ts';
import { Live } from '../../../dashboard/live.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import type { History } from '../../../dashboard/web/past-boards.ts';
import { createServer } from '../../../dashboard/web/server.ts';
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

let app: FastifyInstance;
let boards: LiveBoard[];
let teams: Board;
let stats: Live<Stats>;
let events: EventsWatch;
let histories: Map<string, History>;

beforeEach(async () => {
  teams = boardOf(topTeams, [season([team('a', 20), team('b', 10)])]);
  boards = [new LiveBoard(topTeams), new LiveBoard(streakers)];
  boards[0]?.publish(teams);
  stats = new Live(new Stats());
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

  it('names assets that exist, may be kept for ever, and are served with their type', async () => {
    const { body } = await app.inject('/');
    const urls = [...body.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map((match) => match[1]);
    expect(urls).toHaveLength(4);
    for (const url of urls) {
      const { statusCode, headers } = await app.inject(`/${url}`);
      expect(statusCode).toBe(200);
      expect(headers['cache-control']).toContain('immutable');
      expect(headers['content-type']).toMatch(/css|javascript|svg/);
    }
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
        history: false,
        url: '/api/boards/top-teams',
      },
      {
        name: 'hot-streakers',
        title: 'Hot Streakers',
        size: 3,
        status: 'waiting',
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
    histories.set('top-teams', async () => null);
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
    histories.set('top-teams', async () => null);
    const response = await at(moment);
    expect(response.statusCode).toBe(400);
    expect(response.json().error).toMatch(sentence);
  });

  it('is looked for a few at a time: others are told when to come again', async () => {
    const gate = Promise.withResolvers<null>();
    histories.set('top-teams', () => gate.promise);
    const waiting = Promise.all(Array.from({ length: 4 }, () => at(EARLIER)));
    const refused = await at(EARLIER);
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    gate.resolve(null);
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
      events: 100,
      late_events: 1,
      robot_events: 2,
      uncounted_events: 3,
      undecodable_messages: 4,
      active_players: 5,
      active_teams: 6,
      newest_event_time: NOW - 1500,
    };
    const content = new Stats();
    content.apply(record({ slot_start: NOW - 10_000 }, counts), NOW);
    stats.publish(content);
    expect((await app.inject('/api/stats')).json()).toEqual({
      now: new Date(NOW).toISOString(),
      status: 'live',
      pipeline: {
        state: 'live',
        since: new Date(NOW).toISOString(),
        countedUntil: new Date(NOW - 5000).toISOString(),
        lastCountAt: new Date(NOW).toISOString(),
      },
      eventsPerSecond: 20,
      newestEventTime: new Date(NOW - 1500).toISOString(),
      ageMillis: 1500,
      slots: [
        {
          start: new Date(NOW - 10_000).toISOString(),
          events: 100,
          lateEvents: 1,
          robotEvents: 2,
          uncountedEvents: 3,
          undecodableMessages: 4,
          activePlayers: 5,
          activeTeams: 6,
          newestEventTime: new Date(NOW - 1500).toISOString(),
        },
      ],
    });
  });

  it('are none until they have been read', async () => {
    expect((await app.inject('/api/stats')).json()).toMatchObject({
      status: 'waiting',
      pipeline: { state: 'waiting', countedUntil: null, lastCountAt: null },
      newestEventTime: null,
      ageMillis: null,
      slots: [],
    });
  });
});

describe('the probes', () => {
  it('say alive at once, and ready when every board was read to its end, with reasons until then', async () => {
    boards[1]?.interrupt('topic arcade-hot does not exist');
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
    boards[1]?.interrupt('connect ECONNREFUSED');
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
    expect(body.match(/^dashboard_pipeline_state\{.*\} 0$/gm)).toHaveLength(5);
    expect(body).toContain('dashboard_pipeline_state_seconds 0');
    expect(body).toContain('dashboard_pipeline_behind_seconds 0');
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

  it('closes on whoever talks, and on frames too large', async () => {
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
    ['another site', 'https://evil.example', 403],
    ['nowhere', 'null', 403],
    ['its own page', 'self', 101],
  ])('answers a page of %s (origin %s) with %i', async (_, origin, status) => {
    const host = await address();
    const headers = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      origin: origin === 'self' ? `http://${host}` : origin,
    };
    const upgrade = request(`http://${host}/ws`, { headers }).end();
    const answered = await new Promise((resolve, reject) => {
      upgrade.on('response', (response) => resolve(response.statusCode));
      upgrade.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      upgrade.on('error', reject);
    });
    expect(answered).toBe(status);
  });
});
