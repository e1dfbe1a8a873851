import { ANNOTATIONS } from '../../plan/metadata.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import { kindOf } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import type { Child } from './parts.ts';
import { digest } from './revision.ts';
import { isUpToDate } from './up-to-date.ts';

/**
 * Annotation with a digest of what was last applied: tells that we no longer want a field which the live
 * object still has.
 */
const APPLIED = ANNOTATIONS.applied;

/** The object with the digest of itself. */
export function withAppliedHash(object: KubernetesObject): KubernetesObject {
  const annotations = { ...object.metadata.annotations, [APPLIED]: digest(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Whether an object must be written: it is not there, has not all we want, or has what we no longer want. */
export function needsWrite({ desired, live }: Child): boolean {
  return live === undefined || !isUpToDate(live, desired, kindOf(desired).mergeKeys);
}

/** Each desired object with its live counterpart. */
export function matchByName<T extends KubernetesObject>(desired: T[], live: LiveObject[]): Child<T>[] {
  const byId = new Map(live.map((object) => [idOf(object), object]));
  return desired.map((object) => ({ desired: object, live: byId.get(idOf(object)) }));
}

/** What the resource owns and no longer wants. A retained topic has no owner and is never among them. */
export function toPrune(desired: KubernetesObject[], live: LiveObject[], uid: string): LiveObject[] {
  const wanted = new Set(desired.map(idOf));
  return live.filter(
    (object) =>
      !wanted.has(idOf(object)) &&
      !object.metadata.deletionTimestamp &&
      object.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid),
  );
}

function idOf({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind} ${metadata.name}`;
}
