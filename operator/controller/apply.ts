import type { Component } from '../../plan/metadata.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError, fieldManagerConflicts, isTransient } from '../kube/errors.ts';
import { findKind } from '../kube/kinds.ts';
import type { LiveMetadata, LiveObject } from '../kube/object.ts';
import { type Child, isTopic, matchByName, needsWrite, readComponent, withAppliedHash } from './children.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { ClusterCache } from './observe.ts';
import { findOwnership } from './ownership.ts';
import { type ConditionState, conditionFalse } from './status.ts';

/** What writing takes. */
interface Writer {
  client: KubeClient;
  cache: ClusterCache;
  recorder: EventRecorder;
  /** The resource whose children are written. */
  resource: LiveObject;
  signal: AbortSignal;
}

/** What came of writing objects. */
export interface Written {
  /** Fields that another manager had changed, and that were set back. */
  conflicts: Conflict[];
  /** What could not be written. */
  problems: Problem[];
}

export interface Conflict {
  manager: string;
  field: string;
  object: string;
}

/** Why an object was not written, and the component it belongs to. */
export interface Problem {
  component: Component;
  condition: ConditionState;
}

/** Whether an object was rejected, rather than that it takes its time. */
export function isFailure({ condition }: Problem): boolean {
  return condition.reason !== 'Progressing';
}

/** What came of several steps: of each component its first failure, or else the first that takes its time. */
export function combine(steps: Written[]): Written {
  const all = steps.flatMap((step) => step.problems);
  const problems = [...all.filter(isFailure), ...all.filter((problem) => !isFailure(problem))];
  return {
    conflicts: steps.flatMap((step) => step.conflicts),
    problems: problems.filter(
      ({ component }, i) => problems.findIndex((other) => other.component === component) === i,
    ),
  };
}

/**
 * Writes objects where what there is has not all we want of them. All at once, since none needs another; and
 * all to their ends, so that nothing of this run is under way in the next.
 */
export async function apply(writer: Writer, desired: KubernetesObject[]): Promise<Written> {
  const { client, cache, resource } = writer;
  const { namespace = '', name } = resource.metadata;
  const children = matchByName(desired, cache.children(namespace, name));
  // What is made for a resource that is gone would come too late to go with it.
  if (children.some(({ live }) => !live)) await assertNotDeleted(client, resource);
  const ends = await Promise.allSettled(children.map((child) => applyChild(writer, child)));
  const applied = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  for (const { live } of applied) if (live) cache.put(live);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return combine(applied);
}

/** Deletes objects; in the background, as Kubernetes calls it. */
export async function prune(writer: Writer, objects: LiveObject[]): Promise<void> {
  const { client, cache, recorder, resource, signal } = writer;
  for (const object of objects) {
    const left = await client.delete(object, { signal });
    if (left) cache.put(left);
    else cache.remove(object);
    if (!isTopic(object)) continue;
    // A topic goes with all that is in it: that is worth telling.
    const { kind, metadata } = object;
    const note = `${kind} ${metadata.name} was deleted: the spec has no leaderboard for it any more.`;
    await recorder(resource, { type: 'Normal', reason: 'Deleted', action: 'Delete', note });
  }
}

/** A resource is deleted, and the watch has not reported it yet. */
export class ResourceDeletedError extends Error {
  override name = 'ResourceDeletedError';
}

/**
 * Asks the API server itself; throws ResourceDeletedError when the resource is deleted, or was and there is
 * another of its name.
 */
export async function assertNotDeleted(client: KubeClient, resource: LiveObject): Promise<void> {
  const { namespace = '', name, uid } = resource.metadata;
  const now = await client.get(findKind(resource), namespace, name);
  if (now?.metadata.uid !== uid || now.metadata.deletionTimestamp)
    throw new ResourceDeletedError(`${namespace}/${name} is gone`);
}

async function applyChild(
  { client, resource, signal }: Writer,
  child: Child,
): Promise<Written & { live?: LiveObject }> {
  const desired = withAppliedHash(child.desired);
  if (child.live && !needsWrite({ desired, live: child.live }))
    return { live: child.live, conflicts: [], problems: [] };
  const { namespace = '' } = resource.metadata;
  const { kind, metadata } = desired;
  const component = readComponent(desired);
  // What nobody labelled as ours is not among what is watched: someone else may have the name.
  const live = child.live ?? (await client.get(findKind(desired), namespace, metadata.name, { signal }));
  const obstacle = live && findObstacle(live, resource.metadata);
  if (obstacle) return { conflicts: [], problems: [{ component, condition: obstacle }] };
  try {
    return { ...(await applyOverOthers(client, desired, signal)), problems: [] };
  } catch (error) {
    // A rejection stays until something changes. A schema that lacks a field answers as if the server had
    // failed.
    const isRejection =
      error instanceof ApiError &&
      (!isTransient(error) || /field not declared in schema/.test(error.message));
    if (!isRejection) throw error;
    const condition = conditionFalse('ApplyFailed', `${kind} ${metadata.name}: ${error.message}`);
    return { ...(child.live && { live: child.live }), conflicts: [], problems: [{ component, condition }] };
  }
}

function findObstacle(live: LiveObject, owner: LiveMetadata): ConditionState | undefined {
  const name = `${live.kind} ${live.metadata.name}`;
  const ownership = findOwnership(live, owner);
  if (ownership === 'foreign')
    return conditionFalse(
      'NameConflict',
      `${name} already exists and belongs to another owner: rename one of the two.`,
    );
  if (ownership === 'predecessor' || live.metadata.deletionTimestamp)
    return conditionFalse('Progressing', `${name} is being deleted, and made again then.`);
  return undefined;
}

async function applyOverOthers(
  client: KubeClient,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<{ live: LiveObject; conflicts: Conflict[] }> {
  try {
    // Without force first: so we learn whose change it is that we undo.
    return { live: await client.apply(desired, { signal }), conflicts: [] };
  } catch (error) {
    const object = `${desired.kind} ${desired.metadata.name}`;
    const conflicts = fieldManagerConflicts(error).map((conflict) => ({ ...conflict, object }));
    if (conflicts.length === 0) throw error;
    return { live: await client.apply(desired, { force: true, signal }), conflicts };
  }
}
