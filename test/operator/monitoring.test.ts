import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { prometheusCrds } from '../../testkit/cluster/prometheus-crds.ts';

const plane = connectedControlPlane();
const DRY_RUN = ['--dry-run=server', '--warnings-as-errors'];

describe('the API server, with the Prometheus Operator’s own CRDs', () => {
  let namespace: string;
  beforeAll(async () => {
    await plane.applyCrdFiles(await prometheusCrds('podmonitors', 'prometheusrules'));
    namespace = await plane.newNamespace();
  });

  it.each(['rules', 'pod-monitors'])('takes every object of monitoring/%s.yaml', async (name) => {
    const manifest = await readFile(`monitoring/${name}.yaml`, 'utf8');
    const strictly = ['--server-side', '--validate=strict', '--filename=-', ...DRY_RUN];
    const taken = await plane.kubectlWithInput(manifest, 'apply', `--namespace=${namespace}`, ...strictly);
    expect(taken.trim().split('\n')).toHaveLength(manifest.match(/^kind: /gm)!.length);
  });

  it('refuses an alert with a field that Prometheus does not know', async () => {
    const rules = parse(await readFile('monitoring/rules.yaml', 'utf8'));
    rules.spec.groups[0].rules[0].severity = 'critical';
    await expect(plane.apply(rules, `--namespace=${namespace}`, ...DRY_RUN)).rejects.toThrow(/severity/);
  });
});
