import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent } from 'undici';

/** Connections to the API server that a kubeconfig names, at most `connections` at a time. */
export function apiAgent(config: KubeConfig, connections?: number): { origin: string; agent: Agent } {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig names no cluster');
  const { server: origin, caData, caFile, skipTLSVerify } = cluster;
  const ca = caData ? Buffer.from(caData, 'base64') : caFile && readFileSync(caFile);
  const agent = new Agent({
    connect: { ...(ca && { ca }), rejectUnauthorized: !skipTLSVerify },
    ...(connections !== undefined && { connections }),
    // A watch is quiet for as long as nothing happens.
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  return { origin, agent };
}
