import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { KubeClient } from '../../operator/kube/client.ts';
import { ApiError, ConnectionError } from '../../operator/kube/errors.ts';
import type { Kind } from '../../operator/kube/kinds.ts';
import { Store } from '../../operator/kube/store.ts';
import { Watch } from '../../operator/kube/watch.ts';
import { type Controlled, ControllerApi, DraftingApi } from './api.ts';

/** What a controller does about one object of its kind. */
export interface Behavior<T extends Controlled> {
  kind: Kind;
  /** The name it writes under. */
  fieldManager: string;
  /**
   * Brings an object one step nearer to what its spec says, and returns it as it is then. Undefined: there is
   * nothing left to do. It is called again after each step, with the newest that is known.
   */
  step(object: T, context: StepContext): Promise<T | undefined>;
  /** An object is gone. */
  gone?(object: T): Promise<void>;
}

export interface StepContext {
  api: ControllerApi;
  /** Lets some time pass, as the real operator would need; rejects when the controller stops. */
  pause(): Promise<void>;
}

interface ControllerOptions<T extends Controlled> {
  behavior: Behavior<T>;
  config: KubeConfig;
  /** Undefined: all. */
  namespace: string | undefined;
  /** How long one pause is. */
  stepMillis: number;
  /** Whether only the state is written that an object comes to rest in. */
  skipsStates: boolean;
  log: Logger;
}

const RETRY_MILLIS = 50;

/**
 * Watches one kind, and moves each of its objects step by step until there is nothing left to do, each on its
 * own.
 */
export class Controller<T extends Controlled> {
  readonly #behavior: Behavior<T>;
  readonly #context: StepContext;
  /** Undefined: each state is written. */
  readonly #drafts: StepContext | undefined;
  readonly #client: KubeClient;
  readonly #watch: Watch<T>;
  readonly #store = new Store<T>();
  readonly #log: Logger;
  /** The objects that are being moved, by key. */
  readonly #moving = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor({ behavior, config, namespace, stepMillis, skipsStates, log }: ControllerOptions<T>) {
    const { signal } = this.#stopped;
    this.#behavior = behavior;
    this.#log = log;
    this.#context = {
      api: new ControllerApi(config, behavior.fieldManager),
      pause: () => sleep(stepMillis, undefined, { signal }),
    };
    if (skipsStates) this.#drafts = { ...this.#context, api: new DraftingApi(config, behavior.fieldManager) };
    this.#client = new KubeClient(config, {});
    this.#watch = new Watch<T>({
      client: this.#client,
      kind: behavior.kind,
      ...(namespace !== undefined && { namespace }),
      store: this.#store,
      onChange: (object, previous) => {
        // Deleted and made again unseen.
        if (previous && previous.metadata.uid !== object.metadata.uid) this.#forget(previous);
        this.#move(object);
      },
      onDelete: (object) => this.#forget(object),
      log,
      metrics: { relist() {}, event() {}, connected() {} },
    });
  }

  /** Resolves when it knows what there is. */
  async start(): Promise<void> {
    this.#watch.start();
    await this.#watch.synced;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watch.stop();
    await Promise.all(this.#moving.values());
    await Promise.all([this.#context.api.close(), this.#drafts?.api.close(), this.#client.close()]);
  }

  #move(object: T): void {
    const key = keyOf(object);
    if (this.#moving.has(key) || this.#isStopped) return;
    this.#moving.set(key, this.#settle(key, object));
  }

  /** Steps until there is nothing left to do for the newest that is known. */
  async #settle(key: string, first: T): Promise<void> {
    let object: T | undefined = first;
    while (object && !this.#isStopped) {
      const next: T | undefined = await this.#stepOnce(object);
      const newest = this.#newest(object);
      if (!next && newest === object) break;
      object = newest;
    }
    // In the same breath as the last look, so that no change comes between the two.
    this.#moving.delete(key);
  }

  async #stepOnce(object: T): Promise<T | undefined> {
    try {
      const next = this.#drafts
        ? await this.#leap(object, this.#drafts)
        : await this.#behavior.step(object, this.#context);
      if (next && next !== object) this.#store.put(next);
      return next;
    } catch (error) {
      if (this.#isStopped) return undefined;
      return this.#lookAgain(object, error);
    }
  }

  /** All steps that there are, and one write of the status that they lead to. */
  async #leap(object: T, drafts: StepContext): Promise<T | undefined> {
    let last = object;
    for (let next: T | undefined = object; next; next = await this.#behavior.step(last, drafts)) last = next;
    if (last === object) return undefined;
    const isWritten = isDeepStrictEqual(last.status, object.status);
    return isWritten ? last : this.#context.api.replaceStatus(last, last.status);
  }

  /** What is lost to a conflict, or to an API server that is away, is tried again with what there is then. */
  async #lookAgain(object: T, error: unknown): Promise<T> {
    const isExpected = error instanceof ApiError || error instanceof ConnectionError || isNetwork(error);
    this.#log[isExpected ? 'debug' : 'error']({ error, key: keyOf(object) }, 'a stand-in tries again');
    await sleep(RETRY_MILLIS);
    const found = await this.#context.api.get<T>(object).catch(() => object);
    if (found) {
      this.#store.put(found);
    } else {
      // The watch does not tell what is known.
      this.#store.remove(object);
      this.#forget(object);
    }
    return object;
  }

  #newest({ metadata }: T): T | undefined {
    return this.#store.get(metadata.namespace ?? '', metadata.name);
  }

  #forget(object: T): void {
    void this.#behavior
      .gone?.(object)
      .catch((error) => this.#log.error({ error }, 'a stand-in cannot clean up'));
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }
}

/** As undici and Node name what goes wrong below HTTP. */
function isNetwork(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(UND_ERR_|E[A-Z]+$)/.test(code);
}

function keyOf({ metadata }: Controlled): string {
  return `${metadata.namespace}/${metadata.name}`;
}
