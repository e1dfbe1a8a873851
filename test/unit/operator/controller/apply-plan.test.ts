import { expect, it } from 'vitest';
import { applyPlan } from '../../../../operator/controller/apply-plan.ts';
import type { ClusterCache } from '../../../../operator/controller/cluster-cache.ts';
import type { KubeClient } from '../../../../operator/kube/client.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import type { KubernetesObject } from '../../../../plan/objects.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';
import { live } from './live.ts';

const GAME = live('GameAnalytics', {}, { name: 'arcade' });
const STRIMZI = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const flink = (state: string) => ({
  observedGeneration: 1,
  lifecycleState: 'DEPLOYED',
  jobStatus: { state },
});

/** The object of a plan as the cluster has it, with a job in this state. */
function inCluster(object: KubernetesObject, resourceVersion: string, jobState: string): LiveObject {
  const metadata = { ...object.metadata, uid: object.metadata.name, resourceVersion, generation: 1 };
  return { ...object, metadata, status: object.kind === 'FlinkDeployment' ? flink(jobState) : STRIMZI };
}

/** Applies a plan to a cluster that a cache shows as it was; answers to writes have the job as it is. */
async function apply(cached: string, actual: string) {
  const planned = plan(resource({}, 'arcade'), {
    bootstrapServers: 'games:9092',
    appImage: 'app',
    flinkImage: 'flink',
  });
  const children = new Map(planned.map((object) => [object, inCluster(object, '1', cached)]));
  const view = {
    children: () => [...children.values()],
    pods: () => [],
    serves: () => true,
    put: (object: LiveObject) => {
      const key = planned.find(
        ({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name,
      );
      if (key) children.set(key, object);
    },
  } as unknown as ClusterCache;
  const client = {
    apply: async (object: KubernetesObject) => inCluster(object, '2', actual),
  } as unknown as KubeClient;
  const parts = { client, view, recorder: async () => {}, upgradeTimeoutMillis: 1000, now: () => new Date() };
  return applyPlan(parts, GAME, planned, new AbortController().signal);
}

it('looks again when the answer to a write is newer than what was decided on, which no watch tells', async () => {
  expect((await apply('CREATED', 'RUNNING')).requeueAfterMillis).toBe(0);
  expect((await apply('CREATED', 'CREATED')).requeueAfterMillis).not.toBe(0);
});
