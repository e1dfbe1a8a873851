import { expect, it } from 'vitest';
import {
  controllerRevision,
  digest,
  keptRevision,
  plannedRevision,
} from '../../../../operator/controller/revision.ts';
import type { FlinkDeployment } from '../../../../plan/objects.ts';
import { live } from './live.ts';

const deployment = {
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkDeployment',
  metadata: { name: 'game-job', labels: { a: 'b' }, annotations: { 'gameanalytics.dev/layout': 'text' } },
  spec: { image: 'flink:1', flinkVersion: 'v2_3' },
} as unknown as FlinkDeployment;

it('a digest is that of the value, whatever the order of its fields', () => {
  expect(digest({ a: 1, b: { c: [1, 2], d: null } })).toBe(digest({ b: { d: null, c: [1, 2] }, a: 1 }));
  expect(digest({ a: [1, 2] })).not.toBe(digest({ a: [2, 1] }));
});

it('a revision is another when its spec is, and not when its labels are', () => {
  const { id, layout } = plannedRevision(deployment);
  expect(layout).toBe('text');
  const relabelled = { ...deployment, metadata: { ...deployment.metadata, labels: {} } };
  expect(plannedRevision(relabelled).id).toBe(id);
  expect(plannedRevision({ ...deployment, spec: { ...deployment.spec, image: 'flink:2' } }).id).not.toBe(id);
});

it('a kept revision is the one that was kept, with the labels of its job', () => {
  const revision = plannedRevision(deployment);
  const { kind, metadata, ...fields } = controllerRevision(deployment, revision);
  expect(metadata).toEqual({ name: `game-job-${revision.id}`, labels: { a: 'b' } });
  expect(keptRevision(live(kind, fields))).toEqual(revision);
});
