import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import { DIGEST, liveBoardOf, NOW, season, team } from './fixtures.ts';
import { listen, type Served, serve } from './served.ts';

/*
 * The real server under real sockets that mean it no good: whatever they do, others are served.
 */

let served: Served;
let host: string;
const cleanup: (() => void)[] = [];

async function start(options: Parameters<typeof serve>[0] = {}): Promise<void> {
  served = await serve(options);
  host = await listen(served.app);
}

afterEach(async () => {
  for (const clean of cleanup.splice(0)) clean();
  await served.app.close();
});

/** A connection from an address of this machine, which says what it likes. */
async function connect(localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port: Number(host.split(':')[1]), localAddress });
  socket.on('error', () => undefined);
  cleanup.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const handshake = (path = '/ws') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;

/** An open WebSocket without a library between. */
async function open(localAddress?: string): Promise<Socket> {
  const socket = await connect(localAddress);
  socket.write(handshake());
  await once(socket, 'data');
  return socket;
}

/** A frame as clients send it: masked, with a mask that changes nothing. */
function frame(opcode: number, length: number, claimed = length): Buffer {
  if (claimed < 126)
    return Buffer.concat([
      Buffer.from([0x80 | opcode, 0x80 | length, 0, 0, 0, 0]),
      Buffer.alloc(length, 'x'),
    ]);
  const head = Buffer.alloc(8 + 6);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(0x80 | 127, 1);
  head.writeBigUInt64BE(BigInt(claimed), 2);
  return Buffer.concat([head, Buffer.alloc(length, 'x')]);
}

/** Resolves when the connection is closed, in whatever way. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A viewer like any other; `next` resolves with its next frame. */
async function viewer(localAddress?: string): Promise<{ next(): Promise<void> }> {
  const socket = await open(localAddress);
  return {
    next: async () => {
      served.teams.apply(season([team(`t${Math.random()}`, 30)]), NOW);
      await once(socket, 'data');
    },
  };
}

/** A board of a thousand rows with so many long texts each, and what a record of it is for a leader. */
function largeBoard(texts: number, length: number) {
  const names = Array.from({ length: texts }, (_, index) => `text${index}`);
  const definition = boardDefinition.parse({
    name: 'large',
    title: 'Large',
    topic: 'large',
    digest: DIGEST,
    size: 1000,
    identity: ['id'],
    columns: names.map((name) => ({ name, label: name, type: 'text' })),
  });
  const row = Object.fromEntries(names.map((name) => [name, 'x'.repeat(length)]));
  const led = (leader: string) =>
    season(
      [leader, ...Array.from({ length: 999 }, (_, index) => index)].map((id) => ({ id, ...row })),
      0,
    );
  return { led, board: liveBoardOf(definition, [led('first')]) };
}

/** Larger than all that the kernel takes for one who does not read. */
const hugeBoard = () => largeBoard(30, 500).board;

async function pageIsServed(): Promise<void> {
  const response = await fetch(`http://${host}/`);
  expect(response.status).toBe(200);
  await response.text();
}

describe('other viewers are served while', () => {
  it('one never reads, of whom no more is kept than what was under way', async () => {
    const { board, led } = largeBoard(8, 200);
    await start({ boards: [board] });
    const silent = await open();
    silent.pause();
    const reader = await open();
    let seen = 0;
    reader.on('data', (chunk) => {
      seen += chunk.length;
    });
    while (seen < 30e6) {
      board.content.apply(led(`t${Math.random()}`), NOW);
      await sleep(20);
    }
    const sent = await served.metrics.registry.getSingleMetric('dashboard_bytes_sent_total')?.get();
    // Some is in the kernel's hands; sent everything, the silent one would have had as much again.
    expect((sent?.values[0]?.value ?? 0) - seen).toBeLessThan(15e6);
    await pageIsServed();
  });

  it('many ask for large pages and never read them, of which the oldest are cut', async () => {
    await start({ boards: [hugeBoard()] });
    for (let index = 0; index < 20; index += 1) {
      const silent = await connect();
      silent.pause();
      silent.write(`GET /?q=${index} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await sleep(5);
    }
    await expect.poll(() => served.refused('too slow'), { timeout: 30_000 }).toBeGreaterThan(5);
    await pageIsServed();
  });

  it('one stops to read, and is cut in the end', { timeout: 40_000 }, async () => {
    await start({ boards: [hugeBoard()] });
    const silent = await connect();
    silent.pause();
    silent.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const connections = () =>
      new Promise<number>((resolve) => served.app.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections, { timeout: 35_000 }).toBe(0);
    silent.resume();
    await closed(silent);
  });

  it('ten thousand come from one address, who crowd out nobody else', async () => {
    await start({ maxSockets: 100 });
    const early = await viewer('127.0.0.2');
    let opened = 0;
    const attempt = async () => {
      const socket = await connect();
      socket.write(handshake());
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (answer.toString('latin1', 0, 12) === 'HTTP/1.1 101') opened += 1;
      else socket.destroy();
    };
    for (let round = 0; round < 100; round += 1) await Promise.all(Array.from({ length: 100 }, attempt));
    expect(opened).toBe(99);
    expect(await served.refused('no place')).toBe(9901);

    const late = await viewer('127.0.0.3');
    await Promise.all([early.next(), late.next()]);
    expect(await served.refused('crowded out')).toBe(1);
    await pageIsServed();
  });

  it('connections say nothing, and are closed in the end', { timeout: 40_000 }, async () => {
    await start();
    const idle = await Promise.all(Array.from({ length: 300 }, () => connect()));
    const allClosed = Promise.all(
      idle.map(async (socket, index) => {
        socket.resume();
        if (index % 2 === 0) socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
        const drip = setInterval(() => socket.write('x'), 500);
        await closed(socket);
        clearInterval(drip);
      }),
    );
    const other = await viewer();
    await other.next();
    await pageIsServed();
    await allClosed;
  });

  it.each([
    ['talks without end', 0x2, 1, 'this socket only speaks'],
    ['pings without end', 0x9, 1, 'too many pings'],
    ['sends a frame of a megabyte', 0x2, 1_000_000, 'malformed frame'],
  ])('one %s, and is cut off though it continues', async (_, opcode, length, reason) => {
    await start();
    const other = await viewer();
    const hostile = await open();
    hostile.resume();
    const flood = setInterval(() => {
      for (let i = 0; i < 100; i += 1) hostile.write(frame(opcode, length));
    }, 1);
    await closed(hostile);
    clearInterval(flood);
    expect(await served.refused(reason)).toBe(1);
    await other.next();
  });

  it('one says that it will send an exabyte', async () => {
    await start();
    const other = await viewer();
    const hostile = await open();
    hostile.resume();
    hostile.write(frame(0x2, 10, 2 ** 60));
    await closed(hostile);
    await other.next();
  });

  it.each(['/', '/healthz', '/nothing', '/api/boards'])(
    'one wants a WebSocket of %s, and is not kept waiting for it',
    async (path) => {
      await start();
      const socket = await connect();
      socket.resume();
      socket.write(handshake(path));
      await closed(socket);
    },
  );
});

describe('behind a proxy', () => {
  const viewersOf = async (options: object) => {
    await start({ maxSockets: 2, ...options });
    const answers: string[] = [];
    for (const from of ['10.0.0.1', '10.0.0.1', '10.0.0.2']) {
      const socket = await connect();
      socket.write(handshake().replace('\r\n\r\n', `\r\nX-Forwarded-For: ${from}\r\n\r\n`));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      answers.push(answer.toString('latin1', 9, 12));
    }
    return answers;
  };

  it('who is where is taken from it when it is trusted', async () => {
    expect(await viewersOf({ trustedProxies: ['127.0.0.0/8'] })).toEqual(['101', '101', '101']);
    expect(await served.refused('crowded out')).toBe(1);
  });

  it('what anybody can write there is not believed otherwise', async () => {
    expect(await viewersOf({})).toEqual(['101', '101', '503']);
  });
});

it('replicas show the same to all', async () => {
  await start();
  const other = await serve();
  const otherHost = await listen(other.app);
  const first = async (address: string) => {
    const socket = new WebSocket(`ws://${address}/ws`);
    const [{ data }] = (await once(socket, 'message')) as unknown as [MessageEvent];
    socket.close();
    return data;
  };
  expect(await first(host)).toBe(await first(otherHost));
  await other.app.close();
});
