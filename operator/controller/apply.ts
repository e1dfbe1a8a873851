import type { KubernetesObject } from '../../plan/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError, fieldManagerConflicts, isTransient } from '../kube/errors.ts';
import { kindOf } from '../kube/kinds.ts';
import type { LiveMetadata, LiveObject } from '../kube/object.ts';
import { needsWrite, withAppliedHash } from './changes.ts';
import { type ConditionState, conditionFalse } from './condition-state.ts';
import { ownershipOf } from './ownership.ts';
import type { Child } from './parts.ts';

/** What applying one object came to. */
export interface Applied {
  /** The object as it is now, when it is ours. */
  live?: LiveObject;
  /** Fields that another manager had changed, and that were set back. */
  conflicts: Conflict[];
  /** Why it could not be written. */
  problem?: ConditionState;
}

export interface Conflict {
  manager: string;
  field: string;
  object: string;
}

/**
 * Writes an object, unless what there is has all we want of it. What belongs to someone else is left alone.
 */
export async function applyChild(
  client: KubeClient,
  child: Child,
  owner: LiveMetadata,
  signal: AbortSignal,
): Promise<Applied> {
  const desired = withAppliedHash(child.desired);
  if (child.live && !needsWrite({ desired, live: child.live })) return { live: child.live, conflicts: [] };
  const { kind, metadata } = desired;
  // What nobody labelled as ours is not among what is watched: someone else may have the name.
  const live =
    child.live ?? (await client.get(kindOf(desired), owner.namespace ?? '', metadata.name, { signal }));
  const obstacle = live && obstacleOf(live, owner);
  if (obstacle) return { conflicts: [], problem: obstacle };
  try {
    return await applyOverOthers(client, desired, signal);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const problem = conditionFalse('ApplyFailed', `${kind} ${metadata.name}: ${error.message}`);
    return { ...(child.live && { live: child.live }), conflicts: [], problem };
  }
}

function obstacleOf(live: LiveObject, owner: LiveMetadata): ConditionState | undefined {
  const name = `${live.kind} ${live.metadata.name}`;
  const ownership = ownershipOf(live, owner);
  if (ownership === 'foreign')
    return conditionFalse(
      'NotOurs',
      `${name} already exists and belongs to another owner: rename one of the two.`,
    );
  if (ownership === 'predecessor' || live.metadata.deletionTimestamp)
    return conditionFalse('Pending', `${name} is being deleted, and made again then.`);
  return undefined;
}

/**
 * An answer that will be the same until something changes. A schema that lacks a field answers as if the
 * server had failed.
 */
function isRefusal(error: unknown): error is ApiError {
  return (
    error instanceof ApiError && (!isTransient(error) || /field not declared in schema/.test(error.message))
  );
}

/** First without force: so we learn whose change it is that we undo. */
async function applyOverOthers(
  client: KubeClient,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<Applied> {
  try {
    return { live: await client.apply(desired, { signal }), conflicts: [] };
  } catch (error) {
    const object = `${desired.kind} ${desired.metadata.name}`;
    const conflicts = fieldManagerConflicts(error).map((conflict) => ({ ...conflict, object }));
    if (conflicts.length === 0) throw error;
    return { live: await client.apply(desired, { force: true, signal }), conflicts };
  }
}
