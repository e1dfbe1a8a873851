import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { until } from '../../local/process/retry.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { startControlPlane } from '../../testkit/cluster/control-plane.ts';

const shared = connectedControlPlane();

/** Asks until the answer is what was hoped for, for at most half a minute. */
const eventually = <T>(ask: () => Promise<T | undefined>) =>
  until(ask, { everyMillis: 100, signal: AbortSignal.timeout(30_000) });

describe('the control plane', () => {
  it('knows a ServiceAccount by its token, lets it do what RBAC says, and keeps a log of both', async () => {
    const namespace = await shared.newNamespace();
    const inNamespace = (...args: string[]) => shared.kubectl(`--namespace=${namespace}`, ...args);
    await inNamespace('create', 'serviceaccount', 'robot');
    const account = `--serviceaccount=${namespace}:robot`;
    await inNamespace('create', 'rolebinding', 'robots', '--clusterrole=view', account);

    const file = join(dirname(shared.kubeConfigFile), `${namespace}.json`);
    await writeFile(file, (await shared.serviceAccount(namespace, 'robot')).exportConfig());
    await inNamespace(`--kubeconfig=${file}`, 'get', 'configmaps');
    const forbidden = inNamespace(`--kubeconfig=${file}`, 'create', 'configmap', 'note');
    await expect(forbidden).rejects.toThrow(/forbidden/);

    const logged = (verb: string) =>
      eventually(async () =>
        (await shared.auditEvents()).find(
          (event) =>
            event.verb === verb &&
            event.user.username === `system:serviceaccount:${namespace}:robot` &&
            event.objectRef?.resource === 'configmaps',
        ),
      );
    expect(await logged('list')).toMatchObject({
      stage: 'ResponseComplete',
      objectRef: { namespace, apiVersion: 'v1' },
      responseStatus: { code: 200 },
      annotations: { 'authorization.k8s.io/reason': expect.stringContaining('ClusterRole "view"') },
    });
    expect(await logged('create')).toMatchObject({ responseStatus: { code: 403 } });
  });

  it('deletes what a deleted resource owned', async () => {
    const namespace = await shared.newNamespace();
    const inNamespace = (...args: string[]) => shared.kubectl(`--namespace=${namespace}`, ...args);
    await inNamespace('apply', '--filename=examples/minimal.yaml');
    const uid = await inNamespace('get', 'ga', 'minimal', '--output=jsonpath={.metadata.uid}');
    const ownerReferences = [{ apiVersion: API_VERSION, kind: KIND, name: 'minimal', uid }];
    await shared.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owned', namespace, ownerReferences },
    });
    await inNamespace('delete', 'ga', 'minimal');
    await eventually(async () => {
      const kept = await inNamespace('get', 'configmaps', '--output=name');
      return kept.includes('owned') ? undefined : true;
    });
  });

  it('fills an aggregated ClusterRole', async () => {
    const label = await shared.newNamespace();
    await shared.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: `${label}-whole` },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
    });
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
    await shared.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: `${label}-part`, labels: { [label]: 'true' } },
      rules,
    });
    const whole = () => shared.kubectl('get', 'clusterrole', `${label}-whole`, '-o=jsonpath={.rules}');
    expect(JSON.parse(await eventually(async () => (await whole()) || undefined))).toEqual(rules);
    await shared.kubectl('delete', 'clusterrole', `${label}-whole`, `${label}-part`);
  });

  it('lets no pod run that the restricted Pod Security Standard refuses', async () => {
    const namespace = await shared.newNamespace();
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'careless', namespace },
      spec: { containers: [{ name: 'careless', image: 'careless' }] },
    };
    await expect(shared.apply(pod)).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  it('keeps what it stored when its API server is killed, and comes back at the same address', async () => {
    const plane = await startControlPlane();
    try {
      const namespace = await plane.newNamespace();
      await plane.stopApiServer();
      await expect(plane.kubectl('get', 'namespaces')).rejects.toThrow(/refused/);
      await plane.startApiServer();
      expect(await plane.kubectl('get', 'namespaces', '-o=name')).toContain(namespace);
    } finally {
      await plane.stop();
    }
  });

  it('leaves no process and no file behind when the process that started it is killed', async () => {
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTER]);
    const kubeConfigFile = await new Promise<string>((resolve) =>
      starter.stdout.once('data', (text) => resolve(String(text))),
    );
    const { clusters } = JSON.parse(await readFile(kubeConfigFile, 'utf8')) as {
      clusters: [{ cluster: { server: string } }];
    };
    const server = clusters[0].cluster.server;
    const answers = () => shared.kubectl(`--server=${server}`, 'version').then(() => true, connects);
    const connects = (error: Error) => (/refused/.test(error.message) ? undefined : true);
    expect(await answers()).toBe(true);
    starter.kill('SIGKILL');
    await eventually(async () => ((await answers()) ? undefined : true));
    await eventually(async () => (existsSync(dirname(kubeConfigFile)) ? undefined : true));
  });
});

const STARTER = `
  import { startControlPlane } from './testkit/cluster/control-plane.ts';
  const plane = await startControlPlane();
  process.stdout.write(plane.kubeConfigFile);
  setInterval(() => undefined, 1000);
`;
