import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { LOOPBACK } from '../../../../local/process/ports.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';

/** What one request is answered with. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface SeenRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: string;
  /** When it came, by performance.now(). */
  at: number;
}

/** An API server that says what a test tells it to say: the faults that a real one shows too rarely. */
export class ScriptedApiServer {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #lists: Answer[] = [];
  readonly #watches: Answer[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ScriptedApiServer> {
    const server = createServer();
    const scripted = new ScriptedApiServer(server);
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { method = '', headers } = request;
        const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://localhost');
        const query = Object.fromEntries(searchParams);
        const seen = { method, path, query, headers, body, at: performance.now() };
        scripted.requests.push(seen);
        void scripted.#next(seen)(response, seen);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
    return scripted;
  }

  /** The answers to all requests but watches, in turn. After them, or without any, an empty list. */
  answer(...answers: Answer[]): this {
    this.#lists.push(...answers);
    return this;
  }

  /** The answers to watches, in turn. After them, or without any, a watch in which nothing happens. */
  watched(...answers: Answer[]): this {
    this.#watches.push(...answers);
    return this;
  }

  get lists(): SeenRequest[] {
    return this.requests.filter(({ query }) => !query.watch);
  }

  get watches(): SeenRequest[] {
    return this.requests.filter(({ query }) => query.watch);
  }

  get address(): string {
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections are open now. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  kubeConfig(user: object = { token: 'secret' }): KubeConfig {
    const config = new KubeConfig();
    // Without TLS KubeConfig insists that it shall not be verified.
    const cluster = { name: 'scripted', server: this.address, skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: 'tester', ...user });
    return config;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #next({ query }: SeenRequest): Answer {
    return query.watch ? (this.#watches.shift() ?? events()) : (this.#lists.shift() ?? list(1));
  }
}

export function json(content: unknown): Answer {
  return (response) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify(content));
}

/** One page of a list; `next` is where the next one begins. */
export function list(version: number, objects: LiveObject[] = [], next = ''): Answer {
  // As the API server does, it leaves out what all have in common.
  const items = objects.map(({ apiVersion: _, kind: __, ...rest }) => rest);
  return json({ metadata: { resourceVersion: String(version), continue: next }, items });
}

export function refuse(code: number, status: object = {}, headers: Record<string, string> = {}): Answer {
  return (response) =>
    void response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', code, ...status }));
}

export const reset: Answer = (response) => void response.socket?.resetAndDestroy();

/** Never answers. */
export const silence: Answer = () => undefined;

/** A watch that tells events and continues, silently. */
export function events(...told: WatchLine[]): Answer {
  return (response) => {
    response.flushHeaders();
    for (const event of told) response.write(lineOf(event));
  };
}

/** A watch that tells events and is then ended, as the API server does after a while. */
export function eventsThenEnd(...told: WatchLine[]): Answer {
  return (response) => void response.end(told.map(lineOf).join(''));
}

/** A watch that tells events and then loses its connection. */
export function eventsThenReset(...told: WatchLine[]): Answer {
  return (response) => {
    response.write(told.map(lineOf).join(''), () => response.socket?.resetAndDestroy());
    response.flushHeaders();
  };
}

interface WatchLine {
  type: string;
  object: unknown;
}

function lineOf(event: WatchLine): string {
  return `${JSON.stringify(event)}\n`;
}

export function bookmark(version: number): WatchLine {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } };
}

export function errorEvent(code: number, reason: string): WatchLine {
  return { type: 'ERROR', object: { kind: 'Status', code, reason, message: reason } };
}
