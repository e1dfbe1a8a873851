import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';

interface Container {
  name: string;
  image?: string;
  env?: { name: string; value?: string }[];
  resources?: { requests?: Record<string, unknown>; limits?: Record<string, unknown> };
  securityContext?: { readOnlyRootFilesystem?: boolean };
  [field: string]: unknown;
}

interface Workload {
  file: string;
  kind: string;
  name: string;
  annotations: Record<string, string>;
  labels: Record<string, string>;
  pod: { containers: Container[]; [field: string]: unknown };
}

/**
 * All pods that the two charts and the plan ask for, as the golden files have them. Kafka's own are Strimzi's
 * to make.
 */
const workloads = readdirSync('test/golden', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .flatMap(workloadsOf);

/**
 * How an object tells kube-linter, and the test below, why it is excused from a rule; FlinkDeployments
 * kube-linter does not know.
 */
const MAY_WRITE = 'ignore-check.kube-linter.io/no-read-only-root-fs';
const FLINK_WRITES = 'the entrypoint of Flink’s official image writes Flink’s configuration next to its jars';

const plane = connectedControlPlane();

describe('the pods of both charts and of every plan', () => {
  let namespace: string;
  beforeAll(async () => {
    namespace = await plane.newNamespace();
  });

  it('are all looked at', () => {
    const kinds = new Set(workloads.map(({ kind, name }) => `${kind} ${name.replace(/^.*-/, '')}`));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'Deployment operator',
        'Deployment injector',
        'Deployment dashboard',
        'Deployment kpow',
        'Deployment flex',
        'FlinkDeployment job',
      ]),
    );
  });

  it.each(workloads)('may run where only restricted pods may: $kind $name of $file', async (workload) => {
    const metadata = { generateName: 'pod-', namespace };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: podOf(workload) };
    const create = ['create', '--dry-run=server', '--filename=-'];
    await expect(plane.kubectlWithInput(JSON.stringify(pod), ...create)).resolves.toContain('created');
  });

  it.each(workloads)('cannot write to their image, or have a reason: $kind $name of $file', (workload) => {
    for (const { securityContext } of workload.pod.containers)
      if (!reasonToWrite(workload)) expect(securityContext?.readOnlyRootFilesystem).toBe(true);
  });

  // What the pods of a pipeline ask for is the resource's to say: injector.resources, dashboard.resources.
  it.each(workloads.filter(ofCharts))(
    'ask for processor time and memory, and have a limit of memory: $name of $file',
    ({ pod }) => {
      for (const { resources } of pod.containers) {
        expect(Object.keys(resources?.requests ?? {})).toEqual(expect.arrayContaining(['cpu', 'memory']));
        expect(Object.keys(resources?.limits ?? {})).toContain('memory');
      }
    },
  );

  it.each(workloads)('have an image of a version: $kind $name of $file', ({ pod }) => {
    const images = pod.containers.flatMap(({ image }) => image ?? []);
    for (const image of images) expect(image).toMatch(/[:@](?!latest$)[^:@/]+$/);
  });

  it.each(workloads.filter(ofCharts))(
    'are reached only as a NetworkPolicy says: $name of $file',
    (workload) => {
      expect(isIsolated(workload)).toBe(true);
    },
  );

  it.each(workloads)('have no secret written into a variable: $kind $name of $file', ({ pod }) => {
    for (const { env = [] } of pod.containers)
      for (const { name, value } of env)
        if (value !== undefined) expect(name).not.toMatch(/LICENSE|PASSWORD|SECRET|TOKEN|JAAS/);
  });
});

function ofCharts({ file }: Workload): boolean {
  return /^(chart|platform)\//.test(file);
}

function reasonToWrite({ kind, annotations }: Workload): string | undefined {
  return kind === 'FlinkDeployment' ? FLINK_WRITES : annotations[MAY_WRITE];
}

function workloadsOf(file: string): Workload[] {
  return objectsOf(file).flatMap(({ kind, metadata, spec }) => {
    const template = kind === 'Deployment' ? spec.template : spec?.podTemplate;
    if (!template?.spec) return [];
    const { name, annotations = {} } = metadata;
    const labels = template.metadata?.labels ?? {};
    return [{ file, kind, name, annotations, labels, pod: template.spec }];
  });
}

/** Whether the labels that a NetworkPolicy selects are all among those of the pods. */
function isIsolated({ file, labels }: Workload): boolean {
  const policies = objectsOf(file).filter(({ kind }) => kind === 'NetworkPolicy');
  return policies.some(({ spec }) =>
    Object.entries(spec.podSelector.matchLabels).every(([name, value]) => labels[name] === value),
  );
}

function objectsOf(file: string) {
  const documents = parseAllDocuments(readFileSync(join('test/golden', file), 'utf8'));
  return documents.map((document) => document.toJS() ?? {});
}

/**
 * As a controller would make it, under the account that every namespace has; Flink’s operator fills in the
 * image.
 */
function podOf({ pod }: Workload): object {
  const { serviceAccountName: _, volumes, priorityClassName: __, ...rest } = pod;
  const containers = pod.containers.map((container) => ({ image: 'flink', ...container }));
  return { ...rest, ...(volumes ? { volumes } : {}), containers };
}
