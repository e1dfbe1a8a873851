import { readFile } from 'node:fs/promises';

/** One line of the API server's audit log, as far as tests look at it. */
export interface AuditEvent {
  /** The same for all stages of one request. */
  auditID: string;
  /**
   * A watch has two events: ResponseStarted, and ResponseComplete when it has ended. All else has only the
   * latter.
   */
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  verb: string;
  requestURI: string;
  userAgent?: string;
  user: { username: string; groups?: string[] };
  /** What the request was about; a list has no name. */
  objectRef?: {
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
    apiGroup?: string;
    apiVersion: string;
  };
  responseStatus?: { code: number; reason?: string; message?: string };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  /**
   * `authorization.k8s.io/decision` is allow or forbid, `authorization.k8s.io/reason` names the role that
   * allowed it.
   */
  annotations?: Record<string, string>;
}

/** Every request once it has an answer, but those of the API server to itself and health checks. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver'] },
    { level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*'] },
    { level: 'Metadata' },
  ],
};

/** The events of an audit log so far. A line that is being written is left for the next time. */
export async function readAuditLog(file: string): Promise<AuditEvent[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
}
