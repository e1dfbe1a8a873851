import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent } from 'undici';

/** Connections to the API server that a kubeconfig names. */
export function apiAgent(config: KubeConfig, options: Agent.Options): { origin: string; agent: Agent } {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig names no cluster');
  const { server: origin, caData, caFile, skipTLSVerify } = cluster;
  const ca = caData ? Buffer.from(caData, 'base64') : caFile && readFileSync(caFile);
  const connect = { ...(ca && { ca }), rejectUnauthorized: !skipTLSVerify };
  return { origin, agent: new Agent({ ...options, connect }) };
}
