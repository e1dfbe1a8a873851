import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { FIELD_MANAGER, type KubeClient } from '../kube/client.ts';
import { EVENT } from '../kube/kinds.ts';
import { type LiveObject, microTime } from '../kube/object.ts';

/** Something to report to people as a Kubernetes event. */
export interface ResourceEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

/** Records an event about a resource; never fails, because nothing depends on an event. */
export type EventRecorder = (regarding: LiveObject, event: ResourceEvent) => Promise<void>;

const NOTE_LENGTH = 1_000;

/**
 * Records events (events.k8s.io) in the namespace of the resource they are about.
 *
 * @param identity which operator says so
 */
export function createEventRecorder(
  client: KubeClient,
  identity: string,
  log: Logger,
  now: () => Date,
): EventRecorder {
  return async ({ apiVersion, kind, metadata }, { type, reason, action, note }) => {
    const { name, namespace, uid } = metadata;
    const event = {
      apiVersion: EVENT.apiVersion,
      kind: EVENT.kind,
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, ...(namespace && { namespace }) },
      eventTime: microTime(now()),
      reportingController: FIELD_MANAGER,
      reportingInstance: identity.slice(0, 128),
      regarding: { apiVersion, kind, name, namespace, uid },
      type,
      reason,
      action,
      note: note.slice(0, NOTE_LENGTH),
    };
    log[type === 'Warning' ? 'warn' : 'info']({ namespace, name, reason }, note);
    await client.create(event).catch((error: Error) => {
      log.warn({ namespace, name }, `an event was not recorded: ${error.message}`);
    });
  };
}
