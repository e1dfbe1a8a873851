import { CONDITION_TYPES, type ConditionType, documentation, type Reason } from '../../api/conditions.ts';
import type { Condition, Status } from '../../api/status.ts';
import type { ResourceEvent } from '../../lib/kubernetes.ts';
import type { LiveObject } from '../kube/object.ts';

/** The state of one part of a pipeline: a condition without its times. */
export interface ConditionState {
  status: 'True' | 'False' | 'Unknown';
  reason: Reason;
  message: string;
}

/** The states of a pipeline's parts; one that is left out stays as it was. */
export type ConditionStates = Partial<Record<ConditionType, ConditionState>>;

export function conditionTrue(reason: Reason, message: string): ConditionState {
  return { status: 'True', reason, message };
}

export function conditionFalse(reason: Reason, message: string): ConditionState {
  return { status: 'False', reason, message };
}

/** What the operator writes of the status. The rest is that of programs, other field managers. */
export type OwnStatus = Omit<Status, 'closedSeasons' | 'schema'>;

/** The status of a resource as we last wrote it. */
export function readStatus(live: LiveObject): OwnStatus {
  const { closedSeasons: _, schema: _schema, ...own } = (live.status ?? {}) as Status;
  return own;
}

const MESSAGE_LENGTH = 8_000;

/**
 * The conditions with these states in them. A transition time moves only when its status flips; a conflict
 * is remembered until the spec changes, so that a person can still read of it.
 */
export function updateConditions(
  before: Condition[],
  states: ConditionStates,
  observedGeneration: number,
  now: Date,
): Condition[] {
  return CONDITION_TYPES.flatMap((type) => {
    const old = before.find((condition) => condition.type === type);
    const state = states[type];
    if (!state) {
      const stays = old && (type !== 'FieldConflict' || old.observedGeneration === observedGeneration);
      return stays ? [old] : [];
    }
    const message =
      state.message.length > MESSAGE_LENGTH ? `${state.message.slice(0, MESSAGE_LENGTH)}…` : state.message;
    const lastTransitionTime =
      old?.status === state.status ? old.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
    return [{ type, ...state, message, lastTransitionTime, observedGeneration }];
  });
}

/**
 * What a change of conditions is worth telling: once when a condition takes on a reason, never again while it
 * has it.
 */
export function conditionEvents(before: Condition[], after: Condition[]): ResourceEvent[] {
  const ready = after.find(({ type }) => type === 'Ready');
  return after.flatMap((condition) => {
    const old = before.find((other) => other.type === condition.type);
    // The summary repeats what a part has said already.
    const repeats =
      condition === ready && after.some((part) => part !== ready && part.reason === ready.reason);
    // Another conflict has the same reason and other words; the same problems of another spec are news too.
    const isReworded =
      condition.message !== old?.message &&
      (condition.type === 'FieldConflict' || condition.reason === 'InvalidSpec');
    const isNews = condition.reason !== old?.reason || isReworded;
    // One that is no news may have a reason that only an earlier version of the operator knew.
    if (repeats || !isNews) return [];
    const type = documentation(condition.reason as Reason).event;
    return type ? [{ type, reason: condition.reason, action: condition.type, note: condition.message }] : [];
  });
}
