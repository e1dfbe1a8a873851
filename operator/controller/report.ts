import { isDeepStrictEqual } from 'node:util';
import type { Status } from '../../api/status.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { LiveObject } from '../kube/object.ts';
import { assertNotDeleted } from './assert-not-deleted.ts';
import type { ClusterCache } from './cluster-cache.ts';
import type { EventRecorder } from './event-recorder.ts';
import { conditionEvents } from './events.ts';
import { type ConditionStates, statusOf, updateConditions } from './status.ts';

/** What the status reports in addition to conditions; a field that is left out stays as it was. */
type Details = Omit<Status, 'conditions' | 'observedGeneration'>;

interface ReporterParts {
  client: KubeClient;
  view: ClusterCache;
  recorder: EventRecorder;
  now: () => Date;
}

/** Writes the status of a resource where it changed, and tells people what is news. */
export async function report(
  { client, view, recorder, now }: ReporterParts,
  live: LiveObject,
  states: ConditionStates,
  details?: Details,
): Promise<void> {
  const before = statusOf(live);
  const generation = live.metadata.generation ?? 0;
  const conditions = updateConditions(before.conditions ?? [], states, generation, now());
  const after: Status = { ...(details ?? before), observedGeneration: generation, conditions };
  if (isDeepStrictEqual(before, after)) return;
  const { apiVersion, kind, metadata } = live;
  const { name, namespace, uid } = metadata;
  // With the uid: a resource that was deleted and made again meanwhile is another one.
  const manifest = {
    apiVersion,
    kind,
    metadata: { name, uid, ...(namespace && { namespace }) },
    status: after,
  };
  try {
    view.put(await client.apply(manifest, { subresource: 'status', force: true }));
  } catch (error) {
    // By its uid the API server has found that it is another one.
    if (isConflict(error) || isNotFound(error)) await assertNotDeleted(client, live);
    throw error;
  }
  for (const notice of conditionEvents(before.conditions ?? [], conditions)) await recorder(live, notice);
}
