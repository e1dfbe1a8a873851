import type { KubeConfig } from '@kubernetes/client-node';
import { OPERATOR } from '../../plan/metadata.ts';
import { ConnectionError, isNotFound, type Status } from './errors.ts';
import { findKind, type Kind } from './kinds.ts';
import type { LiveObject, Manifest } from './object.ts';
import { type ApiResponse, type Call, Transport } from './transport.ts';

export type { ApiResponse } from './transport.ts';

/** The name under which the API server remembers which fields are ours. */
export const FIELD_MANAGER = OPERATOR;

export interface ClientOptions {
  /** How long a call may take, all in all; of a watch, until it begins. */
  timeoutMillis?: number;
  /** What the API server's audit log calls us. */
  userAgent?: string;
  /** Throws when we may not write. Called right before each write is sent. */
  mayWrite?: () => void;
  onResponse?: (response: ApiResponse) => void;
}

export interface ListOptions {
  /** Unset: all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** Most objects in one page. Unset: all in one. */
  limit?: number | undefined;
  /** The `continue` of the page before. */
  continue?: string | undefined;
  /** Unset: what is true now. */
  resourceVersion?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface ListPage {
  items: LiveObject[];
  resourceVersion: string;
  /** Where the next page begins; undefined on the last one. */
  continue: string | undefined;
}

export interface WatchRequest {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** Events after this version are sent. */
  resourceVersion: string;
  /** After which time the API server ends the watch. */
  timeoutSeconds: number;
  /** After which time without a single byte the connection counts as lost. */
  silenceMillis?: number;
  /** The API server has accepted the watch. */
  onOpen?: () => void;
  signal: AbortSignal;
}

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: LiveObject }
  /** Has only a resource version: nothing happened up to it. */
  | { type: 'BOOKMARK'; object: LiveObject }
  | { type: 'ERROR'; object: Status };

interface WriteOptions {
  /** A write to our own Lease: it decides who may write, so mayWrite is not asked. */
  lease?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * A thin client of the API server: objects are sent and returned as the JSON they are. Calls throw ApiError
 * when the API server says no, ConnectionError when it does not answer in time, and the signal's reason when
 * that ends them. Nothing is retried here.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #mayWrite: () => void;

  constructor(
    config: KubeConfig,
    {
      timeoutMillis = 10_000,
      userAgent = FIELD_MANAGER,
      mayWrite = () => {},
      onResponse = () => {},
    }: ClientOptions = {},
  ) {
    this.#transport = new Transport(config, { timeoutMillis, userAgent, onResponse });
    this.#mayWrite = mayWrite;
  }

  /** One page of the objects of a kind. */
  async list(kind: Kind, { namespace, signal, ...query }: ListOptions = {}): Promise<ListPage> {
    const path = apiPath(kind, namespace);
    const answer = await this.#transport.json<ListAnswer>({ method: 'GET', path, query, signal });
    const { resourceVersion, continue: next } = answer.metadata;
    const { apiVersion, kind: name } = kind;
    // The API server leaves out of a list what all its objects have in common.
    const items = answer.items.map((item) => ({ ...item, apiVersion, kind: name }));
    return { items, resourceVersion, continue: next || undefined };
  }

  /** Events as they come. Ends when the API server ends the watch. */
  async *watch(kind: Kind, options: WatchRequest): AsyncGenerator<WatchEvent, void> {
    const { namespace, labelSelector, resourceVersion, timeoutSeconds, signal } = options;
    const { silenceMillis = timeoutSeconds * 1000 + 15_000, onOpen = () => {} } = options;
    const query = { watch: true, allowWatchBookmarks: true, labelSelector, resourceVersion, timeoutSeconds };
    const call: Call = { method: 'GET', path: apiPath(kind, namespace), query, signal };
    for await (const line of this.#transport.lines(call, silenceMillis, onOpen)) yield parseEvent(line);
  }

  /** Undefined when there is no such object. */
  async get(
    kind: Kind,
    namespace: string,
    name: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<LiveObject | undefined> {
    const path = apiPath(kind, namespace, name);
    return this.#transport.json<LiveObject>({ method: 'GET', path, signal }).catch(undefinedIfNotFound);
  }

  /**
   * Server-side apply: makes the fields given ours, and drops those that were ours and are not given. Without
   * `force` a field that someone else owns with another value is a conflict; see fieldManagerConflicts.
   */
  async apply(
    object: Manifest,
    {
      force,
      subresource,
      signal,
    }: { force?: boolean; subresource?: 'status'; signal?: AbortSignal | undefined } = {},
  ): Promise<LiveObject> {
    return this.#transport.json<LiveObject>({
      method: 'PATCH',
      path: objectPath(object) + (subresource ? `/${subresource}` : ''),
      query: { ...WRITE_QUERY, force },
      body: object,
      contentType: 'application/apply-patch+yaml',
      guard: this.#mayWrite,
      signal,
    });
  }

  async create(object: Manifest, { lease = false, signal }: WriteOptions = {}): Promise<LiveObject> {
    const path = apiPath(findKind(object), object.metadata.namespace);
    return this.#write({ method: 'POST', path, body: object, signal }, lease);
  }

  /** Writes the whole object. A conflict when it is not at the resource version given any more. */
  async replace(object: Manifest, { lease = false, signal }: WriteOptions = {}): Promise<LiveObject> {
    return this.#write({ method: 'PUT', path: objectPath(object), body: object, signal }, lease);
  }

  /**
   * Deletes the very object given, at the very version given; a conflict when it changed since. That it is
   * gone already is as good.
   *
   * @returns what is left of it: the object when finalizers hold it, otherwise undefined
   */
  async delete(
    object: LiveObject,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<LiveObject | undefined> {
    const { uid, resourceVersion } = object.metadata;
    const answer = await this.#transport
      .json<LiveObject>({
        method: 'DELETE',
        path: objectPath(object),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions: { uid, resourceVersion },
          propagationPolicy: 'Background',
        },
        guard: this.#mayWrite,
        signal,
      })
      .catch(undefinedIfNotFound);
    // The answer is a Status when nothing is left.
    return answer?.metadata?.deletionTimestamp ? answer : undefined;
  }

  /** Ends every call and watch that still runs. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  #write(call: Call, lease: boolean): Promise<LiveObject> {
    return this.#transport.json<LiveObject>({
      ...call,
      query: WRITE_QUERY,
      ...(!lease && { guard: this.#mayWrite }),
    });
  }
}

interface ListAnswer {
  metadata: { resourceVersion: string; continue?: string };
  items: LiveObject[];
}

/** `Strict`: a field that the schema lacks is an error, not a warning that nobody sees. */
const WRITE_QUERY = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' };

function objectPath(object: Manifest): string {
  const { namespace, name } = object.metadata;
  return apiPath(findKind(object), namespace, name);
}

function apiPath({ apiVersion, plural }: Kind, namespace?: string, name?: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${group}${place}/${plural}${name ? `/${encodeURIComponent(name)}` : ''}`;
}

function parseEvent(line: string): WatchEvent {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ConnectionError('the watch sent a line that is not JSON: was it cut?', { cause });
  }
}

function undefinedIfNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
