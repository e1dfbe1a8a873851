import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { Agent, Dispatcher } from 'undici';
import { apiAgent } from '../cluster/api-agent.ts';
import { type Call, callOf, isWrite, named, type Write } from './call.ts';
import { type WatchEvent, type WatchFaults, WatchFilter } from './watch-filter.ts';

export type { Call, Write } from './call.ts';

/**
 * What becomes of a call: it passes; it gets a Status with this code; its connection is reset; or it is held,
 * with no answer ever, which its caller sees as a timeout.
 */
export type Decision = 'pass' | 'hold' | 'reset' | { status: number; retryAfterSeconds?: number };

type Hook<T> = (call: T) => Decision | Promise<Decision>;

const pass = () => 'pass' as const;

/**
 * Starts a proxy on the loopback address before the API server that a kubeconfig names. The kubeconfig's user
 * must be known by its token, which is passed through.
 */
export async function startFaultProxy(target: KubeConfig): Promise<FaultProxy> {
  const proxy = new FaultProxy(target);
  await proxy.listen();
  return proxy;
}

/**
 * A reverse proxy that plays the accidents of a network and an API server between a client and the real
 * server.
 */
export class FaultProxy {
  /** Writes that reached the server, in the order of its answers. */
  readonly writes: Write[] = [];
  /** Everything else that was asked for, in order; a watch counts once. */
  readonly reads: Call[] = [];
  readonly #target: KubeConfig;
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #server = createServer((request, response) => this.#serve(request, response));
  readonly #sockets = new Set<Socket>();
  readonly #watches: WatchFaults = { thawed: Promise.resolve(), isDropped: undefined };
  #thaw = () => {};
  #listsAsOf: string | undefined;
  #beforeWrite: Hook<Call> = pass;
  #afterWrite: Hook<Write> = pass;
  #beforeRead: Hook<Call> = pass;
  #beforeWatch: Hook<Call> = pass;
  #isDown = false;

  constructor(target: KubeConfig) {
    this.#target = target;
    // A watch is quiet for as long as nothing happens.
    const { origin, agent } = apiAgent(target, { bodyTimeout: 0, headersTimeout: 0 });
    this.#origin = origin;
    this.#agent = agent;
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** A kubeconfig of the same user that leads through the proxy. */
  get config(): KubeConfig {
    const { port } = this.#server.address() as AddressInfo;
    const config = new KubeConfig();
    // The library takes no address without TLS unless told that this is meant.
    const cluster = { name: 'fault-proxy', server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, this.#target.getCurrentUser() ?? { name: 'anonymous' });
    return config;
  }

  /** Decides on each write before the server sees it. */
  beforeWrite(hook: Hook<Call> = pass): void {
    this.#beforeWrite = hook;
  }

  /** Decides what the caller learns of a write that the server has done. */
  afterWrite(hook: Hook<Write> = pass): void {
    this.#afterWrite = hook;
  }

  /** Decides on each get, list and watch before the server sees it. */
  beforeRead(hook: Hook<Call> = pass): void {
    this.#beforeRead = hook;
  }

  /**
   * Answers watches that are opened from now on with this code, but for those a predicate lets pass; without
   * a code they pass.
   */
  answerWatches(status?: number, when: (call: Call) => boolean = () => true): void {
    this.#beforeWatch = (call) => (status !== undefined && when(call) ? { status } : 'pass');
  }

  /**
   * Holds what watches say until they are thawed: streams stay open, new ones open and stay silent. With
   * `listsAsOf`, a resourceVersion, lists are of that moment of the past: a cache that lags behind.
   */
  freezeWatches({ listsAsOf }: { listsAsOf?: string } = {}): void {
    this.thawWatches();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watches.thawed = promise;
    this.#thaw = resolve;
    this.#listsAsOf = listsAsOf;
  }

  /** Lets all that was held through, and lists be of now. */
  thawWatches(): void {
    this.#thaw();
    this.#watches.thawed = Promise.resolve();
    this.#listsAsOf = undefined;
  }

  /** Loses the events of watches that a predicate is true of; without one none are lost. */
  dropWatchEvents(isDropped?: (event: WatchEvent) => boolean): void {
    this.#watches.isDropped = isDropped;
  }

  /** Breaks every connection that there is. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /**
   * Breaks every connection, and every new one for some milliseconds. Resolves when the proxy is up again.
   */
  async down(millis: number): Promise<void> {
    this.#isDown = true;
    this.resetConnections();
    await sleep(millis);
    this.#isDown = false;
  }

  /** Ends the proxy and every connection through it. */
  async close(): Promise<void> {
    this.#thaw();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, this.#agent.destroy()]);
  }

  #accept(socket: Socket): void {
    if (this.#isDown) return void socket.resetAndDestroy();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** What fails here is a connection that broke, on either side; the caller is to see a broken one too. */
  #serve(request: IncomingMessage, response: ServerResponse): void {
    const call = callOf(request);
    const served = isWrite(call) ? this.#write(call, request, response) : this.#read(call, request, response);
    served.catch(() => response.destroy());
  }

  async #write(unnamed: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const call = named(unnamed, body);
    if (!carriesOn(await this.#beforeWrite(call), response)) return;
    // No signal: what a caller that gave up has sent is done all the same.
    const answer = await this.#forward(call, request, body);
    const content = Buffer.from(await answer.body.arrayBuffer());
    const write = { ...call, status: answer.statusCode };
    this.writes.push(write);
    if (!carriesOn(await this.#afterWrite(write), response)) return;
    response.writeHead(answer.statusCode, endToEnd(answer.headers)).end(content);
  }

  async #read(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.reads.push(call);
    if (!carriesOn(await this.#beforeRead(call), response)) return;
    if (call.verb === 'watch' && !carriesOn(await this.#beforeWatch(call), response)) return;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await this.#forward(this.#ofItsTime(call), request, null, gone.signal);
    response.writeHead(answer.statusCode, endToEnd(answer.headers));
    // A watch with nothing to say has begun all the same.
    response.flushHeaders();
    if (call.verb === 'watch') await pipeline(answer.body, new WatchFilter(this.#watches), response);
    else await pipeline(answer.body, response);
  }

  /** A list of the past, while that is asked for; further pages carry their moment in the token. */
  #ofItsTime(call: Call): Call {
    if (call.verb !== 'list' || !this.#listsAsOf || call.query.has('continue')) return call;
    const query = new URLSearchParams(call.query);
    query.set('resourceVersion', this.#listsAsOf);
    query.set('resourceVersionMatch', 'Exact');
    return { ...call, query };
  }

  #forward(
    { path, query }: Call,
    { method, headers }: IncomingMessage,
    body: Buffer | null,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return this.#agent.request({
      origin: this.#origin,
      path: query.size > 0 ? `${path}?${query}` : path,
      method: method as Dispatcher.HttpMethod,
      headers: withoutEncoding(headers),
      body,
      ...(signal && { signal }),
    });
  }
}

/** Does what was decided; true when the call continues. */
function carriesOn(decision: Decision, response: ServerResponse): boolean {
  if (decision === 'pass') return true;
  if (decision === 'reset') response.socket?.resetAndDestroy();
  else if (decision !== 'hold') refuse(response, decision);
  return false;
}

const REASONS: Record<number, string> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

function refuse(response: ServerResponse, { status, retryAfterSeconds }: Exclude<Decision, string>): void {
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `fault: the proxy answers ${status}`,
    reason: REASONS[status] ?? '',
    code: status,
  });
  response
    .writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    })
    .end(body);
}

/** Headers that belong to one connection, and not to what goes through it. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'upgrade', 'expect']);

function endToEnd<T>(headers: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** The lines of a watch are read here, so nothing may be compressed; the body's length is set again. */
function withoutEncoding(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { 'accept-encoding': _encoding, 'content-length': _length, ...rest } = endToEnd(headers);
  return rest;
}
