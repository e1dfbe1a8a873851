import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How many handshakes are under way at once. */
const AT_ONCE = 50;

/** First byte of a ping, and the answer to it: masked, as of all clients, and empty. */
const PING = 0x89;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** The server's time in a frame, at its end. */
const CLOCK = '<data id="clock" value="';

/**
 * Many open WebSockets in one process, which look at their frames just enough to know how late each is. They speak the protocol
 * themselves: a client that unpacks every message would be slower than the server that is measured.
 */
export class Viewers {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  /** How late each frame was since the last look, in milliseconds. */
  #delays: number[] = [];
  #bytes = 0;
  #lost = 0;

  constructor(port: number) {
    this.#port = port;
  }

  get count(): number {
    return this.#sockets.length - this.#lost;
  }

  /** Opens as many as are missing. */
  async growTo(count: number): Promise<void> {
    while (this.#sockets.length < count) {
      const missing = Math.min(AT_ONCE, count - this.#sockets.length);
      await Promise.all(Array.from({ length: missing }, () => this.#open()));
      await sleep(5);
    }
  }

  /** What came within so many milliseconds. */
  async watch(millis: number): Promise<{ delays: number[]; bytes: number }> {
    this.#delays = [];
    this.#bytes = 0;
    await sleep(millis);
    return { delays: this.#delays, bytes: this.#bytes };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #open(): Promise<void> {
    const socket = createConnection(this.#port, '127.0.0.1');
    this.#sockets.push(socket);
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('close', () => {
      this.#lost += 1;
    });
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    await this.#handshake(socket);
  }

  async #handshake(socket: Socket): Promise<void> {
    let read = Buffer.alloc(0);
    while (true) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      read = Buffer.concat([read, chunk]);
      const end = read.indexOf('\r\n\r\n');
      if (end < 0) continue;
      if (!read.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) throw new Error('no place was had');
      this.#follow(socket, read.subarray(end + 4));
      return;
    }
  }

  #follow(socket: Socket, first: Buffer): void {
    let chunks = [first];
    let length = first.length;
    const take = () => {
      while (length > 0) {
        const read = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        const end = frameEnd(read);
        if (end === null || end > read.length) return;
        if (read[0] === PING) socket.write(PONG);
        else this.#note(read, end);
        chunks = [read.subarray(end)];
        length -= end;
      }
      chunks = [];
    };
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      this.#bytes += chunk.length;
      if (chunks.length === 1 || length >= (frameEnd(headOf(chunks)) ?? 0)) take();
    });
    take();
  }

  /** Notes how late the frame at the beginning is. */
  #note(read: Buffer, end: number): void {
    const at = read.lastIndexOf(CLOCK, end);
    if (at < 0) return;
    const start = at + CLOCK.length;
    this.#delays.push(Date.now() - Number(read.toString('latin1', start, read.indexOf('"', start))));
  }
}

function headOf(chunks: Buffer[]): Buffer {
  const [first] = chunks;
  return first && first.length >= 10 ? first : Buffer.concat(chunks);
}

/** Where the frame at the beginning ends; null when that is not known yet. Servers do not mask. */
function frameEnd(read: Buffer): number | null {
  if (read.length < 2) return null;
  const short = (read[1] ?? 0) & 0x7f;
  if (short < 126) return 2 + short;
  if (read.length < 10) return null;
  return short === 126 ? 4 + read.readUInt16BE(2) : 10 + Number(read.readBigUInt64BE(2));
}
