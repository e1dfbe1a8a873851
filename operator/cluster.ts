import type { Logger } from 'pino';
import { APP, LABELS, OPERATOR } from '../plan/metadata.ts';
import type { ClusterCache } from './controller/observe.ts';
import { podStatusOnly } from './controller/pods.ts';
import type { KubeClient } from './kube/client.ts';
import { CHILDREN, GAME_ANALYTICS, KAFKA, type Kind, POD } from './kube/kinds.ts';
import type { LiveObject } from './kube/object.ts';
import { Store } from './kube/store.ts';
import { Watch } from './kube/watch.ts';
import type { Metrics } from './metrics.ts';

const OURS = `${LABELS.managedBy}=${OPERATOR}`;
/** Flink's pods have no label of who manages them. */
const PODS = `${LABELS.name}=${APP}`;

interface ClusterOptions {
  client: KubeClient;
  /** The namespace to watch; undefined for all. */
  namespace: string | undefined;
  /** Called with the key of each resource for which something changed. */
  onChange: (key: string) => void;
  log: Logger;
  metrics: Pick<Metrics, 'watch'>;
}

/** The cluster as the watches report it. For each change, it names the resource to reconcile. */
export class Cluster implements ClusterCache {
  readonly #onChange: (key: string) => void;
  readonly #stores = new Map<string, Store>();
  readonly #watches = new Map<string, Watch>();

  constructor(options: ClusterOptions) {
    this.#onChange = options.onChange;
    this.#watch(options, GAME_ANALYTICS, kafkaKey, (resource) => this.#onChange(toKey(resource)));
    this.#watch(options, KAFKA, undefined, (kafka) => {
      const resources = this.#store(GAME_ANALYTICS).byIndex(toKey(kafka));
      for (const resource of resources) this.#onChange(toKey(resource));
    });
    const childChanged = (object: LiveObject, previous?: LiveObject) => {
      // An object that lost our labels still belongs to its previous resource.
      const keys = new Set([ownerKey(object), previous && ownerKey(previous)]);
      for (const key of keys) if (key !== undefined) this.#onChange(key);
    };
    for (const kind of CHILDREN) this.#watch(options, kind, ownerKey, childChanged, OURS);
    this.#watch(options, POD, ownerKey, childChanged, PODS, podStatusOnly);
  }

  start(): void {
    for (const watch of this.#watches.values()) watch.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.stop()));
  }

  /** Resolves once everything is known. */
  async synced(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.synced));
  }

  resource(namespace: string, name: string): LiveObject | undefined {
    return this.#store(GAME_ANALYTICS).get(namespace, name);
  }

  kafka(namespace: string, name: string): LiveObject | undefined {
    return this.#store(KAFKA).get(namespace, name);
  }

  children(namespace: string, resource: string): LiveObject[] {
    return CHILDREN.flatMap((kind) => this.#store(kind).byIndex(`${namespace}/${resource}`));
  }

  pods(namespace: string, resource: string): LiveObject[] {
    return this.#store(POD).byIndex(`${namespace}/${resource}`);
  }

  serves(kind: Kind): boolean {
    return !this.#watches.get(kind.kind)?.missing;
  }

  put(object: LiveObject): void {
    this.#stores.get(object.kind)?.put(object);
  }

  remove(object: LiveObject): void {
    this.#stores.get(object.kind)?.remove(object);
  }

  #watch(
    { client, namespace, log, metrics }: ClusterOptions,
    kind: Kind,
    index: ((object: LiveObject) => string | undefined) | undefined,
    onChange: (object: LiveObject, previous?: LiveObject) => void,
    labelSelector?: string,
    transform?: (object: LiveObject) => LiveObject,
  ): void {
    const store = new Store(index);
    this.#stores.set(kind.kind, store);
    const watch = new Watch({
      client,
      kind,
      namespace,
      labelSelector,
      ...(transform && { transform }),
      store,
      onChange,
      onDelete: onChange,
      onAvailability: () => {
        for (const resource of this.#store(GAME_ANALYTICS).values()) this.#onChange(toKey(resource));
      },
      log,
      metrics: metrics.watch(kind.kind),
    });
    this.#watches.set(kind.kind, watch);
  }

  #store(kind: Kind): Store {
    const store = this.#stores.get(kind.kind);
    if (!store) throw new Error(`${kind.kind} is not watched`);
    return store;
  }
}

function toKey({ metadata }: LiveObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function kafkaKey({ metadata, spec }: LiveObject): string | undefined {
  const { kafka } = spec as { kafka?: { cluster?: string } };
  return kafka?.cluster && `${metadata.namespace}/${kafka.cluster}`;
}

function ownerKey({ metadata }: LiveObject): string | undefined {
  const instance = metadata.labels?.[LABELS.instance];
  return instance && `${metadata.namespace}/${instance}`;
}
