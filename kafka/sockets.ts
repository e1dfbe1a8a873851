import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/**
 * Keeps account of kafkajs' connections and can break them. When a broker's machine vanishes without closing
 * its connections, kafkajs sends its retries into the void until the kernel gives up, a quarter of an hour
 * later; broken off, it reconnects and keeps its producer id.
 */
export class Sockets {
  readonly #open = new Set<Socket>();
  readonly #connect: ISocketFactory;

  /** @param connect opens a connection */
  constructor(connect: ISocketFactory) {
    this.#connect = connect;
  }

  readonly factory: ISocketFactory = (args) => {
    const socket = this.#connect(args);
    this.#open.add(socket);
    return socket.once('close', () => this.#open.delete(socket));
  };

  /** Breaks all connections; to their users it looks like a failure of the network with this reason. */
  breakAll(reason: string): void {
    for (const socket of this.#open) socket.destroy(new Error(reason));
  }
}
