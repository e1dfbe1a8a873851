import { isDeepStrictEqual } from 'node:util';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { appName } from '../../plan/app.ts';
import { boards } from '../../plan/boards.ts';
import { DASHBOARD_PORT } from '../../plan/dashboard.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { LiveObject } from '../kube/object.ts';
import { assertNotDeleted } from './apply.ts';
import type { EventRecorder } from './event-recorder.ts';
import { flinkJob } from './flink-status.ts';
import { appliedRevision } from './job.ts';
import type { ClusterCache } from './observe.ts';
import {
  type ConditionStates,
  conditionEvents,
  type OwnStatus,
  readStatus,
  updateConditions,
} from './status.ts';

/** What the status reports in addition to conditions; a field that is left out stays as it was. */
type Details = Omit<OwnStatus, 'conditions' | 'observedGeneration'>;

interface ReporterParts {
  client: KubeClient;
  cache: ClusterCache;
  recorder: EventRecorder;
  now: () => Date;
}

/** What the status reports of the job, the boards and the dashboard in addition to conditions. */
export function details(
  resource: GameAnalytics,
  job: LiveObject | undefined,
  before: OwnStatus,
  now: Date,
): Details {
  const revision = appliedRevision(job);
  const since = (before.job?.revision === revision && before.job?.since) || now.toISOString();
  return {
    leaderboards: boards(resource).map(({ name, topic }) => ({ name, topic })),
    dashboard: { service: appName(resource, 'dashboard'), port: DASHBOARD_PORT },
    ...(job && { job: { ...flinkJob(job), ...(revision !== undefined && { revision, since }) } }),
  };
}

/** Writes the status of a resource where it changed, and tells people what is news. */
export async function report(
  { client, cache, recorder, now }: ReporterParts,
  live: LiveObject,
  states: ConditionStates,
  details?: Details,
): Promise<void> {
  const before = readStatus(live);
  const generation = live.metadata.generation ?? 0;
  const conditions = updateConditions(before.conditions ?? [], states, generation, now());
  const after: OwnStatus = { ...(details ?? before), observedGeneration: generation, conditions };
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
    cache.put(await client.apply(manifest, { subresource: 'status', force: true }));
  } catch (error) {
    // By its uid the API server has found that it is another one.
    if (isConflict(error) || isNotFound(error)) await assertNotDeleted(client, live);
    throw error;
  }
  for (const event of conditionEvents(before.conditions ?? [], conditions)) await recorder(live, event);
}
