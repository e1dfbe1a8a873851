import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { ConnectionError, toApiError } from './errors.ts';
import { lines } from './lines.ts';

export interface TransportOptions {
  /** How long a call may take, all in all; of a stream, until it begins. */
  timeoutMillis: number;
  userAgent: string;
  onResponse: (response: ApiResponse) => void;
}

/** One answer of the API server; the code is `<error>` where there was none, as in client-go. */
export interface ApiResponse {
  method: string;
  code: number | string;
  host: string;
}

/** One request, under the paths of the API: /api/v1/… or /apis/… */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  /** Throws when the call may not be sent; asked last, when the credentials are there. */
  guard?: () => void;
  signal?: AbortSignal | undefined;
}

/** Brings calls to the API server: with credentials, in time, and with one of a few errors when they fail. */
export class Transport {
  readonly #connection: Connection;
  readonly #timeoutMillis: number;
  readonly #userAgent: string;
  readonly #onResponse: (response: ApiResponse) => void;

  constructor(config: KubeConfig, { timeoutMillis, userAgent, onResponse }: TransportOptions) {
    this.#connection = new Connection(config);
    this.#timeoutMillis = timeoutMillis;
    this.#userAgent = userAgent;
    this.#onResponse = onResponse;
  }

  /** The JSON that a call is answered with. */
  async json<T>(call: Call): Promise<T> {
    const deadline = this.#deadline(call);
    // The API server gives up when we do, so that no write is done long after we stopped waiting for it.
    const query = { ...call.query, timeout: `${this.#timeoutMillis}ms` };
    try {
      const { body } = await this.#send({ ...call, query }, deadline);
      return (await this.#reach(call, deadline, () => body.json())) as T;
    } finally {
      deadline.end();
    }
  }

  /**
   * The lines that a call is answered with, as they come.
   *
   * @param silenceMillis how long the API server may send nothing before the connection counts as lost
   * @param onOpen called when the API server has said yes
   */
  async *lines(call: Call, silenceMillis: number, onOpen: () => void): AsyncGenerator<string, void> {
    const deadline = this.#deadline(call);
    try {
      const { body } = await this.#send(call, deadline, silenceMillis);
      deadline.stopTime();
      onOpen();
      const stream = lines(body);
      try {
        for (;;) {
          const { value, done } = await this.#reach(call, deadline, () => stream.next());
          if (done) return;
          yield value;
        }
      } finally {
        // A reader that stops closes its connection.
        await stream.return(undefined);
      }
    } finally {
      deadline.end();
    }
  }

  /** Ends every call that still runs. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  #deadline(call: Call): Deadline {
    const millis = this.#timeoutMillis;
    const timeout = () => new ConnectionError(`${call.method} ${call.path}: no answer within ${millis} ms`);
    return new Deadline(millis, timeout, call.signal);
  }

  async #send(call: Call, deadline: Deadline, silenceMillis = 0): Promise<Dispatcher.ResponseData> {
    const { origin, basePath } = this.#connection;
    const { dispatcher, headers } = await this.#reach(call, deadline, () =>
      deadline.race(() => this.#connection.access()),
    );
    call.guard?.();
    const request = {
      origin,
      path: basePath + call.path + formatQuery(call),
      method: call.method,
      headers: {
        ...headers,
        'user-agent': this.#userAgent,
        accept: 'application/json',
        ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: deadline.signal,
      // The deadline is the limit until an answer has begun.
      headersTimeout: 0,
      bodyTimeout: silenceMillis,
    };
    const response = await this.#reach(call, deadline, () =>
      // A request that waits for its connection would not hear of its end, but it is not sent after that.
      deadline.race(() => this.#request(dispatcher, request)),
    );
    if (response.statusCode < 300) return response;
    const text = await this.#reach(call, deadline, () => response.body.text());
    throw toApiError(response.statusCode, text, response.headers['retry-after']?.toString());
  }

  async #request(
    dispatcher: Dispatcher,
    request: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData> {
    const { host } = this.#connection;
    const { method } = request;
    try {
      const response = await dispatcher.request(request);
      this.#onResponse({ method, code: response.statusCode, host });
      return response;
    } catch (error) {
      this.#onResponse({ method, code: '<error>', host });
      throw error;
    }
  }

  async #reach<T>(call: Call, { signal }: Deadline, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      // The caller's own reason, where it gave up.
      signal.throwIfAborted();
      throw new ConnectionError(`${call.method} ${call.path}: ${describeCause(cause)}`, { cause });
    }
  }
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // A connection refused on all of a name's addresses is an AggregateError, which has a code but no message.
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}

function formatQuery({ query = {} }: Call): string {
  const text = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
  return text && `?${text}`;
}
