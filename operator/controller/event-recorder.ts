import type { Logger } from 'pino';
import { kubernetesEvent, type ResourceEvent } from '../../lib/kubernetes.ts';
import { FIELD_MANAGER, type KubeClient } from '../kube/client.ts';
import type { LiveObject } from '../kube/object.ts';

/** Records an event about a resource; never fails, because nothing depends on an event. */
export type EventRecorder = (regarding: LiveObject, event: ResourceEvent) => Promise<void>;

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
  const reporter = { controller: FIELD_MANAGER, instance: identity };
  return async (regarding, event) => {
    const { name, namespace } = regarding.metadata;
    const { type, reason, note } = event;
    log[type === 'Warning' ? 'warn' : 'info']({ namespace, name, reason }, note);
    await client.create(kubernetesEvent(regarding, event, reporter, now())).catch((error: Error) => {
      log.warn({ namespace, name }, `an event was not recorded: ${error.message}`);
    });
  };
}
