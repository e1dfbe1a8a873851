import { expect, it } from 'vitest';
import { type ClusterCache, observe } from '../../../../operator/controller/observe.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import { live } from './live.ts';

const GAME = live('GameAnalytics', {}, { name: 'game', namespace: 'arcades' });

function observeAmong(...children: LiveObject[]) {
  const cache: Partial<ClusterCache> = {
    children: (namespace, name) => (`${namespace}/${name}` === 'arcades/game' ? children : []),
    pods: () => [],
    serves: () => true,
  };
  return observe(cache as ClusterCache, GAME);
}

it('the job is the FlinkDeployment of the resource’s name, not another with our labels', () => {
  const job = live('FlinkDeployment', {}, { name: 'game-job' });
  const other = live('FlinkDeployment', {}, { name: 'another' });
  expect(observeAmong(other, job).job).toBe(job);
  expect(observeAmong(other).job).toBeUndefined();
});

it('the last good revision is the newest that is kept, should a crash have left two', () => {
  const kept = (id: string, resourceVersion: string) =>
    live('ControllerRevision', { data: { id } }, { name: id, resourceVersion });
  expect(observeAmong(kept('new', '10'), kept('old', '9')).lastGood).toEqual({ id: 'new' });
  expect(observeAmong(kept('old', '9'), kept('new', '10')).lastGood).toEqual({ id: 'new' });
  expect(observeAmong().lastGood).toBeUndefined();
});
