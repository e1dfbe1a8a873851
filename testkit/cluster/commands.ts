import { join } from 'node:path';

import { LOOPBACK } from '../../local/process/ports.ts';
import type { Command } from '../../local/process/supervisor.ts';

import type { Programs } from './programs.ts';

/** Where the parts of one control plane keep their files and listen. */
export interface Site {
  folder: string;
  programs: Programs;
  etcdPort: number;
  apiServerPort: number;
}

/** Files that the parts share, in the control plane's folder. */
export const FILES = {
  /** The API server's own certificate, signed by an authority whose certificate is in the file too. */
  certificate: 'certificates/apiserver.crt',
  tokens: 'tokens.csv',
  serviceAccountKey: 'service-accounts.key',
  kubeConfig: 'kubeconfig.json',
  auditPolicy: 'audit-policy.json',
  auditLog: 'audit.log',
} as const;

export function etcdCommand({ folder, programs, etcdPort }: Site): Command {
  const url = `http://${LOOPBACK}:${etcdPort}`;
  return {
    file: programs.etcd,
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      // There are no peers: any port will do.
      `--listen-peer-urls=http://${LOOPBACK}:0`,
      // What is lost in a crash of this machine was only a test's.
      '--unsafe-no-fsync',
    ],
  };
}

/** RBAC and the default admission plugins, Pod Security among them: what a user's cluster has. */
export function apiServerCommand(
  { folder, programs, etcdPort, apiServerPort }: Site,
  audit: boolean,
): Command {
  return {
    file: programs['kube-apiserver'],
    // Collects garbage less often than by default (100): this machine has more memory than processors.
    env: { GOGC: '400' },
    args: [
      `--etcd-servers=http://${LOOPBACK}:${etcdPort}`,
      `--bind-address=${LOOPBACK}`,
      // Nobody looks for the API server by the Service `kubernetes`, which could not name a loopback address.
      `--advertise-address=${LOOPBACK}`,
      '--endpoint-reconciler-type=none',
      `--secure-port=${apiServerPort}`,
      `--cert-dir=${join(folder, 'certificates')}`,
      `--token-auth-file=${join(folder, FILES.tokens)}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(folder, FILES.serviceAccountKey)}`,
      `--service-account-signing-key-file=${join(folder, FILES.serviceAccountKey)}`,
      '--service-cluster-ip-range=10.0.0.0/16',
      ...(audit ? auditFlags(folder) : []),
    ],
  };
}

function auditFlags(folder: string): string[] {
  return [
    `--audit-policy-file=${join(folder, FILES.auditPolicy)}`,
    `--audit-log-path=${join(folder, FILES.auditLog)}`,
    // Megabytes, before it would start another file.
    '--audit-log-maxsize=10000',
  ];
}

/** The controllers that our objects meet. No Deployment becomes pods. */
const CONTROLLERS = [
  'garbage-collector-controller', // deletes what belonged to a deleted owner
  'namespace-controller', // deletes what was in a deleted namespace
  'clusterrole-aggregation-controller', // fills aggregated ClusterRoles
  'serviceaccount-controller', // makes the default account, without which no pod is admitted
];

export function controllerManagerCommand({ folder, programs }: Site): Command {
  return {
    file: programs['kube-controller-manager'],
    args: [
      `--kubeconfig=${join(folder, FILES.kubeConfig)}`,
      `--controllers=${CONTROLLERS}`,
      '--leader-elect=false',
      '--secure-port=0',
      // The defaults (20 a second) are for a controller among many.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  };
}
