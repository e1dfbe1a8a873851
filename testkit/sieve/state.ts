import type { KubeClient } from '../../operator/kube/client.ts';
import { CHILDREN, GAME_ANALYTICS, SERVICE } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import { withoutHistory } from '../operator/without-history.ts';

const KINDS = [GAME_ANALYTICS, ...CHILDREN];

/** What there is in a namespace, by `Kind name`, without what differs from one creation to the next. */
export type State = Record<string, unknown>;

/**
 * All objects of a pipeline and the resource itself; what Kubernetes puts into each namespace is left out.
 */
export async function stateOf(client: KubeClient, namespace: string): Promise<State> {
  const lists = await Promise.all(KINDS.map((kind) => client.list(kind, { namespace })));
  const objects = lists.flatMap(({ items }) => items).filter(({ metadata }) => metadata.name !== 'default');
  const state = objects
    .map(withoutHistory)
    .map((object) => [`${object.kind} ${object.metadata.name}`, timeless(object)]);
  // States of different namespaces are compared too.
  return JSON.parse(JSON.stringify(Object.fromEntries(state)).replaceAll(namespace, 'the-namespace'));
}

function timeless({ apiVersion, kind, metadata, status, ...rest }: LiveObject): unknown {
  const { name, labels, annotations, ownerReferences, deletionTimestamp } = metadata;
  return {
    apiVersion,
    name,
    labels,
    annotations: withoutDigest(annotations),
    owners: ownerReferences?.map((owner) => `${owner.kind} ${owner.name}`),
    isGoing: deletionTimestamp !== undefined,
    ...(kind === SERVICE.kind ? { spec: withoutAddress(rest.spec) } : rest),
    ...(kind === GAME_ANALYTICS.kind && { said: saidIn(status) }),
  };
}

/** The digest of what was applied has the owner's uid in it. */
function withoutDigest({ 'gameanalytics.dev/applied': _, ...annotations }: Record<string, string> = {}) {
  return annotations;
}

/** Which address a Service gets is chance. */
function withoutAddress(spec: unknown): unknown {
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec as Record<string, unknown>;
  return rest;
}

/** What the resource says of itself, but for times, counts and ids. */
function saidIn(status: unknown): unknown {
  const {
    conditions = [],
    leaderboards,
    dashboard,
    job,
  } = (status ?? {}) as {
    conditions?: { type: string; status: string; reason: string }[];
    leaderboards?: unknown;
    dashboard?: unknown;
    job?: { state?: string };
  };
  return {
    conditions: conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    leaderboards,
    dashboard,
    job: { state: job?.state },
  };
}

/** Whether the resource is ready, and says so of the spec that it has. */
export async function isReady(client: KubeClient, namespace: string, name: string): Promise<boolean> {
  const resource = await client.get(GAME_ANALYTICS, namespace, name);
  const { conditions = [] } = (resource?.status ?? {}) as {
    conditions?: { type: string; status: string; observedGeneration?: number }[];
  };
  return conditions.some(
    ({ type, status, observedGeneration }) =>
      type === 'Ready' && status === 'True' && observedGeneration === resource?.metadata.generation,
  );
}
