import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';

import { until } from '../../local/process/retry.ts';

import { type AuditEvent, readAuditLog } from './audit.ts';
import { FILES } from './commands.ts';
import { availableCrds, type CrdSet, crdFiles } from './crds.ts';
import type { Programs } from './programs.ts';

/** Where a control plane is to be found: plain data, for other processes too. */
export interface Address {
  kubeConfigFile: string;
  programs: Programs;
}

/** A running control plane, as its administrator uses it. */
export class ControlPlaneAccess {
  readonly address: Address;
  readonly #folder: string;

  constructor(address: Address) {
    this.address = address;
    this.#folder = dirname(address.kubeConfigFile);
  }

  /** Path of the administrator's kubeconfig, for child processes. */
  get kubeConfigFile(): string {
    return this.address.kubeConfigFile;
  }

  /** The administrator, who may do everything. */
  kubeConfig(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromFile(this.kubeConfigFile);
    return config;
  }

  /**
   * A ServiceAccount that exists, by a token of TokenRequest, as a pod would have it. It may do what RBAC
   * lets it.
   */
  async serviceAccount(namespace: string, name: string): Promise<KubeConfig> {
    const token = await this.#createToken(namespace, name);
    const cluster = this.kubeConfig().getCurrentCluster();
    if (!cluster) throw new Error(`${this.kubeConfigFile} has no cluster`);
    const config = new KubeConfig();
    const user = { name: `${namespace}/${name}`, token };
    // Under the name that the library makes up the operator would take it for no kubeconfig at all.
    const contexts = [{ name: user.name, cluster: cluster.name, user: user.name }];
    config.loadFromOptions({ clusters: [cluster], users: [user], contexts, currentContext: user.name });
    return config;
  }

  /** The same as a folder, as the kubelet mounts it into a pod. */
  async mountedServiceAccount(namespace: string, name: string): Promise<string> {
    const folder = join(this.#folder, 'accounts', namespace, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'token'), await this.#createToken(namespace, name));
    await copyFile(join(this.#folder, FILES.certificate), join(folder, 'ca.crt'));
    return folder;
  }

  async #createToken(namespace: string, name: string): Promise<string> {
    const token = await this.kubectl('create', 'token', name, `--namespace=${namespace}`, '--duration=24h');
    return token.trim();
  }

  /** What kubectl prints; an error has what it says on standard error. */
  kubectl(...args: string[]): Promise<string> {
    return this.kubectlWithInput('', ...args);
  }

  /**
   * As kubectl(), with a text for its standard input: `kubectlWithInput(manifest, 'apply', '--filename=-')`.
   */
  kubectlWithInput(input: string, ...args: string[]): Promise<string> {
    // What kubectl remembers of a server goes by its port, which another one had before.
    return this.#run('kubectl', [`--cache-dir=${join(this.#folder, 'kubectl')}`, ...args], input);
  }

  /** Applies an object as it is, server-side and strictly: a field that the schema lacks is refused. */
  apply(object: object, ...options: string[]): Promise<string> {
    const strictly = ['--server-side', '--validate=strict', '--filename=-'];
    return this.kubectlWithInput(JSON.stringify(object), 'apply', ...strictly, ...options);
  }

  /** What Helm prints, as kubectl(). */
  helm(...args: string[]): Promise<string> {
    return this.#run('helm', args, '');
  }

  /**
   * Makes a namespace with a name of its own, in which only pods by the restricted Pod Security Standard may
   * run.
   */
  async newNamespace(): Promise<string> {
    const restricted = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { generateName: 'test-', labels: restricted },
    };
    const made = await this.kubectlWithInput(
      JSON.stringify(namespace),
      'create',
      '--filename=-',
      '--output=jsonpath={.metadata.name}',
    );
    return made.trim();
  }

  /** Applies our own CRD and those that it builds on. */
  async applyCrds(set: CrdSet = availableCrds()): Promise<void> {
    await this.applyCrdFiles(await crdFiles(set));
  }

  /** Applies CRDs, and waits until they are served. */
  async applyCrdFiles(paths: string[]): Promise<void> {
    const files = paths.map((path) => `--filename=${path}`);
    await this.kubectl('apply', '--server-side', '--force-conflicts', ...files);
    const wait = () => this.kubectl('wait', '--for=condition=Established', '--timeout=30s', ...files);
    // One that has no conditions yet, not even a wrong one, kubectl takes for an error.
    const established = () =>
      wait().catch((error) => (isTooEarly(error) ? undefined : Promise.reject(error)));
    await until(established, { everyMillis: 100, signal: AbortSignal.timeout(30_000) });
  }

  /**
   * Every answered request so far, if the control plane keeps an audit log. An event can be some milliseconds
   * late.
   */
  auditEvents(): Promise<AuditEvent[]> {
    return readAuditLog(join(this.#folder, FILES.auditLog));
  }

  #run(program: 'kubectl' | 'helm', args: string[], input: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        this.address.programs[program],
        args,
        { env: { ...process.env, KUBECONFIG: this.kubeConfigFile }, maxBuffer: 1024 ** 3 },
        (error, stdout, stderr) => (error ? reject(new Error(stderr || error.message)) : resolve(stdout)),
      );
      child.stdin?.on('error', () => undefined); // It may end before it has read all; then its own error says why.
      child.stdin?.end(input);
    });
  }
}

function isTooEarly(error: Error): boolean {
  return error.message.includes('.status.conditions accessor error');
}
