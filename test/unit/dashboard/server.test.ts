import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import { createServer } from '../../../dashboard/web/server.ts';
import { boardOf, HOUR, NOW, record, SEASON, streakers, team, topTeams } from './fixtures.ts';

let app: FastifyInstance;
let boards: LiveBoard[];
let teams: Board;

beforeEach(async () => {
  teams = boardOf(topTeams, [team(1, 'a', 20), team(2, 'b', 10)]);
  boards = [new LiveBoard(topTeams), new LiveBoard(streakers)];
  boards[0]?.publish(teams);
  const now = () => NOW;
  const log = pino({ level: 'silent' });
  app = await createServer({ title: 'Arcade & <Co>', boards, metrics: new Metrics(boards, now), log, now });
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
      { name: 'top-teams', title: 'Top Teams', size: 3, status: 'live', url: '/api/boards/top-teams' },
      {
        name: 'hot-streakers',
        title: 'Hot Streakers',
        size: 3,
        status: 'waiting',
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
    const hot = record({ rnk: 1 }, { user_id: 'u', as_of: NOW, peak_hotness: 1.5 });
    boards[1]?.publish(boardOf(streakers, [hot]));
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

    teams.apply(team(1, 'new', 30), NOW);
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
