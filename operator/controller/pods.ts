import type { Component } from '../../plan/metadata.ts';
import type { LiveObject } from '../kube/object.ts';
import { readComponent } from './children.ts';

/** The part of a pod's status that is read here. */
interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
}

interface ContainerStatus {
  state?: { waiting?: Reason; terminated?: Termination };
  lastState?: { terminated?: Termination };
}

interface Reason {
  reason?: string;
  message?: string;
}

interface Termination extends Reason {
  exitCode?: number;
}

/** Why a container waits in every start. */
const STARTING = ['ContainerCreating', 'PodInitializing'];
const MOST_PODS = 3;

/** Flink tells its own two kinds of pods apart by the label `component`. */
const FLINK_PODS = new Map([
  ['jobmanager', 'JobManager'],
  ['taskmanager', 'TaskManager'],
]);

/**
 * Why pods of a component do not run, in Kubernetes’ words: they cannot be scheduled, an image cannot be
 * pulled, a container does not start, or it ends. Empty when all of them run or start normally.
 */
export function podTroubles(pods: LiveObject[], component: Component): string {
  const sentences = pods
    .filter((pod) => readComponent(pod) === component && !pod.metadata.deletionTimestamp)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((pod) => {
      const trouble = describeTrouble((pod.status ?? {}) as PodStatus);
      const title = FLINK_PODS.get(pod.metadata.labels?.component ?? '') ?? 'Pod';
      return trouble ? [`${title} ${pod.metadata.name} ${trouble}`] : [];
    });
  const more = sentences.length - MOST_PODS;
  return [...sentences.slice(0, MOST_PODS), ...(more > 0 ? [`${more} more pods`] : [])].join('; ');
}

/** Only what is read of a pod: of thousands of pods, the rest would fill the memory. */
export function podStatusOnly({ apiVersion, kind, metadata, status }: LiveObject): LiveObject {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp } = metadata;
  const { phase, reason, message, conditions, initContainerStatuses, containerStatuses } = (status ??
    {}) as PodStatus;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    status: { phase, reason, message, conditions, initContainerStatuses, containerStatuses },
  };
}

function describeTrouble(status: PodStatus): string | undefined {
  const { phase, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (phase === 'Pending' && scheduled?.status === 'False') return `is Pending: ${reasonText(scheduled)}`;
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const trouble = containerTrouble(container);
    if (trouble) return trouble;
  }
  return phase === 'Failed' ? `is Failed: ${reasonText(status)}` : undefined;
}

function containerTrouble({ state, lastState }: ContainerStatus): string | undefined {
  const { waiting, terminated } = state ?? {};
  // For a container in back-off, why it ended says more than that it waits.
  const ended = terminated ?? lastState?.terminated;
  const end = ended?.exitCode ? `ended with exit code ${ended.exitCode}: ${reasonText(ended)}` : undefined;
  if (waiting?.reason && !STARTING.includes(waiting.reason))
    return [`is waiting: ${reasonText(waiting)}`, end].filter(Boolean).join('; it ');
  return terminated && end;
}

function reasonText({ reason, message }: Reason): string {
  // What the scheduler says of preemption repeats the rest.
  const text = message
    ?.replace(/\s*preemption:.*$/s, '')
    .trim()
    .replace(/\.$/, '');
  return text || reason || 'no reason given';
}
