import { randomBytes } from 'node:crypto';

/** The path of a GameAnalytics in Kubernetes' API. */
export function resourcePath({ namespace, name }: { namespace: string; name: string }): string {
  return `/apis/gameanalytics.dev/v1alpha1/namespaces/${namespace}/gameanalytics/${name}`;
}

/** Something to report to people as a Kubernetes event. */
export interface ResourceEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

/** The object that an event is about. */
interface Regarding {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string | undefined; uid: string };
}

export const EVENT_KIND = { apiVersion: 'events.k8s.io/v1', kind: 'Event' } as const;
const NOTE_LENGTH = 1_000;
const INSTANCE_LENGTH = 128;

/**
 * An event as the API server takes it, in the namespace of the object that it is about.
 *
 * @param reporter the program that says so, and which of its copies
 */
export function kubernetesEvent(
  { apiVersion, kind, metadata }: Regarding,
  { type, reason, action, note }: ResourceEvent,
  reporter: { controller: string; instance: string },
  now: Date,
) {
  const { name, namespace, uid } = metadata;
  return {
    ...EVENT_KIND,
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, ...(namespace && { namespace }) },
    eventTime: microTime(now),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, INSTANCE_LENGTH),
    regarding: { apiVersion, kind, name, namespace, uid },
    type,
    reason,
    action,
    note: note.slice(0, NOTE_LENGTH),
  };
}

/** Kubernetes' MicroTime, which wants exactly six digits of a second. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
