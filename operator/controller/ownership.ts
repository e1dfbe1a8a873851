import { KIND } from '../../api/gameanalytics.ts';
import { LABELS, OPERATOR } from '../../plan/metadata.ts';
import { FIELD_MANAGER } from '../kube/client.ts';
import type { LiveMetadata, LiveObject } from '../kube/object.ts';

/**
 * Whose an object is that has a name we want: ours, one that goes with the resource of that name before us,
 * or someone else's.
 */
export type Ownership = 'ours' | 'predecessor' | 'foreign';

/** Found by owner and label. A retained topic has no owner, and is that of any resource of the name. */
export function findOwnership(live: LiveObject, { name, uid }: LiveMetadata): Ownership {
  const controller = live.metadata.ownerReferences?.find((owner) => owner.controller);
  if (controller) {
    if (controller.uid === uid) return 'ours';
    return controller.kind === KIND && controller.name === name ? 'predecessor' : 'foreign';
  }
  const instance = live.metadata.labels?.[LABELS.instance];
  if (instance !== undefined && instance !== name) return 'foreign';
  const isLabelled = instance !== undefined && live.metadata.labels?.[LABELS.managedBy] === OPERATOR;
  // Someone may have taken the labels off; the API server still knows who applied it.
  const wasApplied = live.metadata.managedFields?.some(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  );
  return isLabelled || wasApplied ? 'ours' : 'foreign';
}
