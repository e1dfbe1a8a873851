import { ANNOTATIONS, type Component, LABELS } from '../../plan/metadata.ts';
import type { KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import { findKind, KAFKA_TOPIC, KAFKA_USER } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { digest } from './revision.ts';
import { isUpToDate } from './up-to-date.ts';

/** An object of the plan with its live counterpart. */
export interface Child<T extends KubernetesObject = KubernetesObject> {
  desired: T;
  live: LiveObject | undefined;
}

/** Each desired object with its live counterpart. */
export function matchByName<T extends KubernetesObject>(desired: T[], live: LiveObject[]): Child<T>[] {
  const byId = new Map(live.map((object) => [identify(object), object]));
  return desired.map((object) => ({ desired: object, live: byId.get(identify(object)) }));
}

/**
 * The object with the digest of itself in an annotation: what was last applied. It tells that we no longer
 * want a field which the live object still has.
 */
export function withAppliedHash(object: KubernetesObject): KubernetesObject {
  const annotations = { ...object.metadata.annotations, [ANNOTATIONS.applied]: digest(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Whether an object must be written: it is not there, has not all we want, or has what we no longer want. */
export function needsWrite({ desired, live }: Child): boolean {
  return live === undefined || !isUpToDate(live, desired, findKind(desired).mergeKeys);
}

/** What the resource owns and no longer wants. A retained topic has no owner and is never among them. */
export function toPrune(desired: KubernetesObject[], live: LiveObject[], uid: string): LiveObject[] {
  const wanted = new Set(desired.map(identify));
  return live.filter(
    (object) =>
      !wanted.has(identify(object)) &&
      !object.metadata.deletionTimestamp &&
      object.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid),
  );
}

function identify({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind} ${metadata.name}`;
}

/** The component an object belongs to, by its label. */
export function readComponent({ metadata }: { metadata: { labels?: Record<string, string> } }): Component {
  return metadata.labels?.[LABELS.component] as Component;
}

export function isTopic({ kind }: { kind: string }): boolean {
  return kind === KAFKA_TOPIC.kind;
}

export function isUser(object: { kind: string }): object is KafkaUser {
  return object.kind === KAFKA_USER.kind;
}
