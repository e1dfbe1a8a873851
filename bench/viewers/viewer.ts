import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';

/** First byte of a ping, and the answer to it: masked, as of all clients, and empty. */
const PING = 0x89;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const HEAD_END = '\r\n\r\n';

/** The server's time in a frame. */
const CLOCK = '<data id="clock" value="';
const EPOCH_MILLIS_LENGTH = 13;

/** All sockets are read into this one: what was read is looked at before the next is. */
const SHARED = Buffer.allocUnsafe(256 * 1024);

/** Told of each frame how late it was, in milliseconds, and of all bytes. */
export interface Watcher {
  late(millis: number): void;
  read(bytes: number): void;
  lost(): void;
}

/**
 * An open WebSocket that looks at its frames just enough to know how late each is. It speaks the protocol
 * itself: a client that unpacks every message would be slower than the server that is measured.
 */
export class Viewer {
  readonly #watcher: Watcher;
  readonly #opened = Promise.withResolvers<void>();
  readonly #socket: Socket;
  #isOpen = false;
  /** The beginning of a head that was cut off by the end of a read. */
  #carry = Buffer.alloc(0);
  /** Bytes of the frame still to come. */
  #left = 0;

  constructor(port: number, watcher: Watcher) {
    this.#watcher = watcher;
    const onread = { buffer: SHARED, callback: (length: number) => this.#take(SHARED.subarray(0, length)) };
    this.#socket = createConnection({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.on('error', (error) => this.#opened.reject(error));
    this.#socket.on('close', () => watcher.lost());
    const key = randomBytes(16).toString('base64');
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}${HEAD_END}`,
    );
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): boolean {
    this.#watcher.read(chunk.length);
    let rest = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    this.#carry = Buffer.alloc(0);
    if (!this.#isOpen) rest = this.#takeHandshake(rest);
    while (rest.length > 0) {
      if (this.#left > 0) rest = this.#takePayload(rest);
      else {
        const head = headLength(rest);
        if (head === undefined) {
          this.#carry = Buffer.from(rest);
          break;
        }
        if (rest[0] === PING) this.#socket.write(PONG);
        this.#left = payloadLength(rest);
        rest = rest.subarray(head);
      }
    }
    return true;
  }

  #takeHandshake(read: Buffer): Buffer {
    const end = read.indexOf(HEAD_END);
    if (end < 0) {
      this.#carry = Buffer.from(read);
      return Buffer.alloc(0);
    }
    this.#isOpen = true;
    if (read.toString('latin1', 9, 12) === '101') this.#opened.resolve();
    else this.#opened.reject(new Error(`no place was had: ${read.toString('latin1', 0, end)}`));
    return read.subarray(end + HEAD_END.length);
  }

  /** A time that is cut in two by the end of a read is passed over. */
  #takePayload(read: Buffer): Buffer {
    const part = read.subarray(0, Math.min(this.#left, read.length));
    this.#left -= part.length;
    const start = part.lastIndexOf(CLOCK) + CLOCK.length;
    if (start >= CLOCK.length && start + EPOCH_MILLIS_LENGTH <= part.length) {
      this.#watcher.late(Date.now() - Number(part.toString('latin1', start, start + EPOCH_MILLIS_LENGTH)));
    }
    return read.subarray(part.length);
  }
}

/** Of the frame at the beginning; undefined when that is not known yet. Servers do not mask. */
function headLength(read: Buffer): number | undefined {
  const short = (read[1] ?? 0) & 0x7f;
  const length = short < 126 ? 2 : short === 126 ? 4 : 10;
  return read.length >= 2 && read.length >= length ? length : undefined;
}

function payloadLength(read: Buffer): number {
  const short = (read[1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? read.readUInt16BE(2) : Number(read.readBigUInt64BE(2));
}
