import type { Logger } from 'pino';
import { Backoff } from '../../lib/backoff.ts';
import { sleep } from '../../lib/sleep.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { ApiError, ConnectionError, isAhead, isGone, isNotFound, isTransient } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { LiveObject } from './object.ts';
import type { Change, Store } from './store.ts';

const PAGE_SIZE = 500;
/** A watch that ends sooner than this and reported nothing did not work, whatever the API server says. */
const SHORTEST_WATCH_MILLIS = 1_000;

export interface WatchOptions<T extends LiveObject> {
  client: Pick<KubeClient, 'list' | 'watch'>;
  kind: Kind;
  /** Unset or empty: all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** Kept up to date; the callbacks are called after it changed. */
  store: Store<T>;
  /** An object is new or differs. `previous` may have another uid: it was deleted and made again unseen. */
  onChange: (object: T, previous?: T) => void;
  onDelete: (object: T) => void;
  /** Called when the kind turns out not to be served, and when it is served again. */
  onAvailability?: (served: boolean) => void;
  /** Makes of an object what is stored. It still sees the managed fields, which the store drops. */
  transform?: (object: LiveObject) => T;
  log: Logger;
  metrics: WatchMetrics;
  /** Numbers in [0, 1). */
  random?: () => number;
  timing?: Partial<WatchTiming>;
}

/** What a watch of one kind tells about itself. */
export interface WatchMetrics {
  /** Everything was listed, because of this. */
  relist(cause: RelistCause): void;
  /** The API server sent an event of this type. */
  event(type: string): void;
  connected(connected: boolean): void;
}

/** Why everything was listed: the first time; history was compacted; the kind came back; anything else. */
export type RelistCause = 'start' | 'expired' | 'missing' | 'error';

export interface WatchTiming {
  /**
   * The API server ends a watch after a random time between these two, so that not all start over at once.
   */
  shortestSeconds: number;
  longestSeconds: number;
  /** How much longer than that a connection may be silent before it counts as lost. */
  graceMillis: number;
  firstRetryMillis: number;
  longestRetryMillis: number;
}

const TIMING: WatchTiming = {
  shortestSeconds: 300,
  longestSeconds: 600,
  graceMillis: 15_000,
  firstRetryMillis: 800,
  longestRetryMillis: 30_000,
};

/**
 * A watch that survives: lists a kind, follows its events into a store, and continues whatever the network
 * and the API server do. It resumes where it was when it can, and lists again, telling the deletions it
 * missed, when it cannot.
 */
export class Watch<T extends LiveObject = LiveObject> {
  /**
   * Settles when the store has been filled, or the kind is found not to be served. Never, when stopped
   * before.
   */
  readonly synced: Promise<void>;
  readonly #options: WatchOptions<T>;
  readonly #timing: WatchTiming;
  readonly #random: () => number;
  readonly #log: Logger;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #resolveSynced: () => void;
  #running: Promise<void> | undefined;
  #missing = false;
  /** Events up to here are in the store; undefined when everything must be listed. */
  #position: string | undefined;
  #relistCause: RelistCause = 'start';
  /** When the API server accepted the watch that was last asked for. */
  #openedAt = Number.POSITIVE_INFINITY;

  constructor(options: WatchOptions<T>) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#random = options.random ?? Math.random;
    this.#log = options.log.child({ kind: options.kind.kind });
    const { firstRetryMillis, longestRetryMillis } = this.#timing;
    this.#backoff = new Backoff(firstRetryMillis, longestRetryMillis, this.#random);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
  }

  /**
   * Whether the API server does not serve the kind, because its CRD is not installed. It is looked for again
   * and again.
   */
  get missing(): boolean {
    return this.#missing;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the watch. No callback is called any more from now on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        this.#position ??= await this.#list();
        await this.#follow(this.#position);
      } catch (error) {
        if (!signal.aborted) await this.#recover(error);
      }
    }
    this.#options.metrics.connected(false);
  }

  async #list(): Promise<string> {
    try {
      const version = await this.#listBy(PAGE_SIZE).catch((error) => {
        if (!isGone(error)) throw error;
        // The pages outlived the API server's memory of the list's version. All at once cannot.
        return this.#listBy(undefined);
      });
      this.#options.metrics.relist(this.#relistCause);
      this.#served(true);
      return version;
    } catch (error) {
      if (isNotFound(error)) this.#served(false);
      throw error;
    }
  }

  async #listBy(limit: number | undefined): Promise<string> {
    const { client, kind, namespace, labelSelector, store, onDelete } = this.#options;
    const { signal } = this.#stopping;
    const uids = new Set<string>();
    let next: string | undefined;
    for (;;) {
      const page = await client.list(kind, { namespace, labelSelector, limit, continue: next, signal });
      if (store.isAheadOf(page.resourceVersion)) throw new Error(ANSWER_FROM_THE_PAST);
      for (const item of page.items) {
        uids.add(item.metadata.uid);
        this.#take(item, (object) => store.listed(object));
      }
      next = page.continue;
      if (next) continue;
      for (const gone of store.retain(uids, page.resourceVersion)) this.#safely(() => onDelete(gone));
      return page.resourceVersion;
    }
  }

  async #follow(position: string): Promise<void> {
    const { client, kind, namespace, labelSelector, metrics } = this.#options;
    const { shortestSeconds, longestSeconds, graceMillis } = this.#timing;
    const timeoutSeconds =
      shortestSeconds + Math.floor(this.#random() * (longestSeconds - shortestSeconds + 1));
    const silenceMillis = timeoutSeconds * 1000 + graceMillis;
    const startedAt = performance.now();
    let events = 0;
    for await (const event of client.watch(kind, {
      namespace,
      labelSelector,
      resourceVersion: position,
      timeoutSeconds,
      silenceMillis,
      onOpen: () => {
        this.#openedAt = performance.now();
        metrics.connected(true);
      },
      signal: this.#stopping.signal,
    })) {
      metrics.event(event.type);
      this.#handle(event);
      this.#backoff.reset();
      events++;
    }
    if (events === 0 && performance.now() - startedAt < SHORTEST_WATCH_MILLIS)
      throw new ConnectionError('the watch ended as soon as it began');
    this.#backoff.reset();
  }

  #handle(event: WatchEvent): void {
    const { store, onDelete } = this.#options;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#take(event.object, (object) => store.changed(object));
        break;
      case 'DELETED': {
        const gone = store.deleted(event.object);
        if (gone) this.#safely(() => onDelete(gone));
        break;
      }
      case 'BOOKMARK':
        store.advance(event.object.metadata.resourceVersion);
        break;
      case 'ERROR': {
        const error = new ApiError(event.object.code ?? 500, event.object);
        // Resuming could meet the same error forever.
        this.#forgetPosition(error);
        throw error;
      }
    }
    this.#position = event.object.metadata.resourceVersion;
  }

  #take(live: LiveObject, tell: (object: T) => Change<T> | undefined): void {
    const { transform = (object) => object as T, onChange } = this.#options;
    this.#safely(() => {
      const change = tell(transform(live));
      return change && onChange(change.object, change.previous);
    });
  }

  async #recover(error: unknown): Promise<void> {
    this.#options.metrics.connected(false);
    if (!isTransient(error) || isAhead(error)) this.#forgetPosition(error);
    // One that was open for long works, even if there was nothing to report.
    if (performance.now() - this.#openedAt > this.#timing.longestRetryMillis) this.#backoff.reset();
    this.#openedAt = Number.POSITIVE_INFINITY;
    const asked = error instanceof ApiError ? (error.retryAfterMillis ?? 0) : 0;
    const retryInMillis = Math.round(Math.max(this.#backoff.next(), asked));
    // A stack is only for what may be our mistake: that of a network failure says nothing.
    const details = isTransient(error) ? { retryInMillis } : { retryInMillis, err: error };
    const level = this.#missing ? 'debug' : 'warn';
    this.#log[level](details, `the watch is interrupted: ${(error as Error).message}`);
    await sleep(retryInMillis, this.#stopping.signal);
  }

  #forgetPosition(error: unknown): void {
    // What made the last list necessary still does, when that list failed.
    if (this.#position === undefined) return;
    this.#position = undefined;
    if (isGone(error)) this.#relistCause = 'expired';
    else this.#relistCause = isNotFound(error) ? 'missing' : 'error';
  }

  #served(served: boolean): void {
    const { store, onDelete, onAvailability } = this.#options;
    this.#resolveSynced();
    if (this.#missing !== served) return;
    this.#missing = !served;
    this.#log.info(served ? 'the kind is served now' : 'the kind is not served: its CRD is not installed');
    if (!served) {
      this.#relistCause = 'missing';
      // The objects of a kind go with its CRD.
      for (const gone of store.clear()) this.#safely(() => onDelete(gone));
    }
    this.#safely(() => onAvailability?.(served));
  }

  #safely(callback: () => unknown): void {
    if (this.#stopping.signal.aborted) return;
    const report = (err: unknown) => this.#log.error({ err }, 'a callback of the watch failed');
    try {
      const result = callback();
      // Where no promise is asked for, one may come all the same.
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  }
}

const ANSWER_FROM_THE_PAST =
  'the API server listed less than it has told before; after etcd was restored from a backup, restart the operator';
