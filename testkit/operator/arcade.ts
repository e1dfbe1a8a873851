import { setTimeout as sleep } from 'node:timers/promises';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import type { Condition, Status } from '../../api/status.ts';
import type { LiveObject, Manifest } from '../../operator/kube/object.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { withoutHistory } from './without-history.ts';

type Spec = Record<string, unknown>;

const KINDS = [
  'kafkatopics',
  'kafkausers',
  'flinkdeployments',
  'deployments',
  'services',
  'serviceaccounts',
  'rolebindings',
  'ingresses',
  'networkpolicies',
  'poddisruptionbudgets',
  'controllerrevisions',
];

/** A GameAnalytics on a cluster, as its user sees it, with kubectl. */
export class Arcade {
  readonly plane: ControlPlaneAccess;
  readonly namespace: string;
  readonly name: string;

  constructor(plane: ControlPlaneAccess, namespace: string, name = 'arcade') {
    this.plane = plane;
    this.namespace = namespace;
    this.name = name;
  }

  /** Applies the resource with this spec, in place of the one it had. */
  async apply(spec: Spec = {}): Promise<void> {
    await this.plane.apply(this.manifest(spec), '--force-conflicts');
  }

  /** The resource with this spec. */
  manifest(spec: Spec = {}): Manifest {
    return {
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: { name: this.name, namespace: this.namespace },
      spec: { kafka: { cluster: 'games' }, ...spec },
    };
  }

  kubectl(...args: string[]): Promise<string> {
    return this.plane.kubectl(`--namespace=${this.namespace}`, ...args);
  }

  async get<T = LiveObject>(kind: string, name: string): Promise<T> {
    return JSON.parse(await this.kubectl('get', kind, name, '--output=json'));
  }

  async status(): Promise<Status> {
    const { status = {} } = await this.get<{ status?: Status }>('gameanalytics', this.name);
    return status;
  }

  /** Waits until the condition, said of the current spec, is so; then returns it. */
  async until(
    type: Condition['type'],
    wanted: Partial<Condition>,
    timeoutMillis = 30_000,
  ): Promise<Condition> {
    const deadline = Date.now() + timeoutMillis;
    for (;;) {
      const { metadata, status } = await this.get<LiveObject & { status?: Status }>(
        'gameanalytics',
        this.name,
      );
      const condition = status?.conditions?.find((other) => other.type === type);
      const isSo =
        condition?.observedGeneration === metadata.generation &&
        Object.entries(wanted).every(([field, value]) => condition?.[field as keyof Condition] === value);
      if (condition && isSo) return condition;
      if (Date.now() > deadline)
        throw new Error(`${type} is not ${JSON.stringify(wanted)}: ${JSON.stringify(status, null, 1)}`);
      await sleep(50);
    }
  }

  ready(): Promise<Condition> {
    return this.until('Ready', { status: 'True' });
  }

  /** Everything that is labelled as the resource's, by `Kind name`. */
  async children(): Promise<Map<string, LiveObject>> {
    const selector = `app.kubernetes.io/instance=${this.name}`;
    const answer = await this.kubectl(
      'get',
      KINDS.join(),
      `--selector=${selector}`,
      '--output=json',
      '--show-managed-fields',
    );
    const { items } = JSON.parse(answer) as { items: LiveObject[] };
    return new Map(items.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
  }

  /** The children as their specs have them, without what differs from one creation to the next. */
  async settled(): Promise<Record<string, unknown>> {
    return settledOf((await this.children()).values());
  }

  /** Reasons of the events about the resource, the first one first. */
  async events(): Promise<string[]> {
    return (await this.#recorded()).map(({ reason }) => reason);
  }

  /** What the newest Kubernetes event of this reason says. */
  async note(reason: string): Promise<string | undefined> {
    return (await this.#recorded()).findLast((event) => event.reason === reason)?.note;
  }

  async #recorded(): Promise<{ reason: string; note: string }[]> {
    const { items } = JSON.parse(
      await this.kubectl('get', 'events.events.k8s.io', '--output=json', '--sort-by=.eventTime'),
    ) as { items: { reason: string; note: string; regarding: { name: string } }[] };
    return items.filter(({ regarding }) => regarding.name === this.name);
  }
}

/** Children by `Kind name`, each as timeless() has it. */
export function settledOf(children: Iterable<LiveObject>): Record<string, unknown> {
  const byId = [...children]
    .map(withoutHistory)
    .map((object) => [`${object.kind} ${object.metadata.name}`, timeless(object)] as const);
  return Object.fromEntries(byId.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An object without what the cluster adds, and what differs from one creation to the next. */
export function timeless({ metadata, status: _, spec, ...object }: LiveObject): unknown {
  const { name, labels, annotations, ownerReferences } = metadata;
  const owners = ownerReferences?.map(({ kind, name }) => `${kind} ${name}`);
  // Which address a Service gets is chance.
  const { clusterIP: _ip, clusterIPs: _ips, ...addressless } = (spec ?? {}) as Record<string, unknown>;
  return { ...object, spec: addressless, metadata: { name, labels, annotations, owners } };
}

/** How many requests an operator has made that write, its Lease aside. */
export async function writesOf(metrics: {
  registry: { getSingleMetric(name: string): unknown };
}): Promise<number> {
  const counter = metrics.registry.getSingleMetric('rest_client_requests_total') as {
    get(): Promise<{ values: { labels: { method: string }; value: number }[] }>;
  };
  const { values } = await counter.get();
  return values
    .filter(({ labels }) => ['PATCH', 'DELETE'].includes(labels.method))
    .reduce((sum, { value }) => sum + value, 0);
}
