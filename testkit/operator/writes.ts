import type { AuditEvent } from '../cluster/audit.ts';

/** A time in which one process wrote, and nobody else. */
export interface Reign {
  identity: string;
  writes: number;
  /** When its first write was received, and its last one answered; milliseconds since the epoch. */
  from: number;
  to: number;
}

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/**
 * The writes of operators, of an audit log, in the order in which they were received; their Leases are not
 * among them.
 */
export function operatorWrites(events: AuditEvent[], namespace: string): AuditEvent[] {
  return events
    .filter(({ stage, verb }) => stage === 'ResponseComplete' && WRITES.includes(verb))
    .filter(({ userAgent = '' }) => userAgent.startsWith('gameanalytics-operator/'))
    .filter(({ objectRef }) => objectRef?.namespace === namespace && objectRef.resource !== 'leases')
    .sort((a, b) => receivedAt(a) - receivedAt(b));
}

/** Who wrote when: as many as the writer changed. */
export function reigns(writes: AuditEvent[]): Reign[] {
  const found: Reign[] = [];
  for (const write of writes) {
    const identity = identityOf(write);
    const last = found.at(-1);
    const answeredAt = Date.parse(write.stageTimestamp);
    if (last?.identity === identity) {
      last.writes += 1;
      last.to = Math.max(last.to, answeredAt);
    } else found.push({ identity, writes: 1, from: receivedAt(write), to: answeredAt });
  }
  return found;
}

/**
 * The objects that were made, as often as they were: `resource/name`. A server-side apply that makes one is
 * answered so.
 */
export function creations(writes: AuditEvent[]): string[] {
  return writes
    .filter(({ responseStatus, objectRef }) => responseStatus?.code === 201 && objectRef)
    .map(({ objectRef }) => `${objectRef?.resource}/${objectRef?.name}`);
}

/** Which process it was: the operator tells it to the API server with each request. */
function identityOf({ userAgent = '' }: AuditEvent): string {
  return /\((.*)\)$/.exec(userAgent)?.[1] ?? userAgent;
}

function receivedAt({ requestReceivedTimestamp }: AuditEvent): number {
  return Date.parse(requestReceivedTimestamp);
}
