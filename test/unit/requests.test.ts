import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

interface Resources {
  requests?: { cpu?: string | number };
}

interface Rendered {
  kind: string;
  spec?: {
    replicas?: number;
    resources?: Resources;
    template?: { spec?: { containers?: { resources?: Resources }[] } };
    entityOperator?: Record<string, { resources?: Resources }>;
    jobManager?: { resource: { cpu: number } };
    taskManager?: { resource: { cpu: number } };
  };
}

/** The processors that a file's objects request, in thousandths. */
function requested(file: string): number {
  const objects = parseAllDocuments(readFileSync(file, 'utf8')).map(
    (document) => document.toJS() as Rendered,
  );
  return objects.map(requestOf).reduce((sum, millis) => sum + millis, 0);
}

function requestOf({ kind, spec = {} }: Rendered): number {
  const { replicas = 1, resources, template, entityOperator = {}, jobManager, taskManager } = spec;
  const all = [...(template?.spec?.containers ?? []), ...Object.values(entityOperator), { resources }];
  const each = all.map(({ resources }) => millis(resources?.requests?.cpu ?? 0));
  const flink =
    kind === 'FlinkDeployment' ? [jobManager, taskManager].map((one) => millis(one!.resource.cpu)) : [];
  return [...each.map((one) => one * replicas), ...flink].reduce((sum, one) => sum + one, 0);
}

function millis(quantity: string | number): number {
  const text = String(quantity);
  return text.endsWith('m') ? Number.parseInt(text, 10) : Number(text) * 1000;
}

/**
 * What Kubernetes’ own pods request on kind, Strimzi's chart by default, and the Flink operator's at most, in
 * thousandths.
 */
const OTHERS = 950 + 200 + 50;

it('the demo fits on a kind cluster of two processors, also while its dashboard is replaced', () => {
  const ours = [
    'test/golden/arcade.yaml',
    'test/golden/platform/default.yaml',
    'test/golden/chart/default.yaml',
  ];
  const sizes = ours.map(requested);
  for (const size of sizes) expect(size).toBeGreaterThan(0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(OTHERS + total + 50).toBeLessThanOrEqual(2000);
});
