import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { KubeConfigError, loadKubeConfig } from '../../../operator/kubeconfig.ts';

/** Where a pod finds its cluster without a kubeconfig. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const USABLE = `
current-context: here
clusters: [{ name: c, cluster: { server: 'https://10.0.0.1:6443' } }]
users: [{ name: u, user: {} }]
contexts: [{ name: here, context: { cluster: c, user: u } }]
`;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gameanalytics-kubeconfig-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function file(content: string): string {
  const path = join(folder(), 'config');
  writeFileSync(path, content);
  return path;
}

function refusal(): KubeConfigError {
  try {
    loadKubeConfig();
  } catch (error) {
    if (error instanceof KubeConfigError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('loadKubeConfig', () => {
  it('finds the cluster that KUBECONFIG names', () => {
    vi.stubEnv('KUBECONFIG', file(USABLE));
    expect(loadKubeConfig().getCurrentCluster()?.server).toBe('https://10.0.0.1:6443');
  });

  it.each([
    ['is not there', () => '/nonexistent/config', 'no such file'],
    ['is a folder', folder, 'illegal operation on a directory'],
    ['is empty', () => file(''), 'Cannot read the kubeconfig'],
    ['is no YAML', () => file('clusters: [\n'), 'Cannot read the kubeconfig'],
    [
      'names no cluster',
      () => file('{ clusters: [], users: [], contexts: [] }'),
      'kubectl config use-context',
    ],
    ['names a cluster that it lacks', () => file(USABLE.replace('name: c,', 'name: d,')), 'use-context'],
  ])('says in a line what to do about a file that %s', (_, path, reason) => {
    vi.stubEnv('KUBECONFIG', path());
    const { message } = refusal();
    expect(message).toContain(reason);
    expect(message).not.toContain('\n');
  });

  it.skipIf(existsSync(SERVICE_ACCOUNT))('says where it looks when there is no file', () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', folder());
    expect(refusal().message).toMatch(
      /^There is no kubeconfig\. Set KUBECONFIG .*~\/\.kube\/config.*service account\.$/,
    );
  });
});
