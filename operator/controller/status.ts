import { CONDITION_TYPES, type ConditionType } from '../../api/conditions.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Condition, Status } from '../../api/status.ts';
import { appName } from '../../plan/app.ts';
import { boards } from '../../plan/boards.ts';
import { DASHBOARD_PORT } from '../../plan/dashboard.ts';
import type { LiveObject } from '../kube/object.ts';
import type { ConditionState } from './condition-state.ts';
import { flinkJob } from './flink-status.ts';
import { appliedRevision } from './job.ts';

/** The status of a pipeline; a field that is left out stays as it was. */
export type ConditionStates = Partial<Record<ConditionType, ConditionState>>;

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
    if (!state) return old && stays(old, observedGeneration) ? [old] : [];
    const lastTransitionTime =
      old?.status === state.status ? old.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
    return [{ type, ...state, message: cut(state.message), lastTransitionTime, observedGeneration }];
  });
}

function stays({ type, observedGeneration }: Condition, generation: number): boolean {
  return type !== 'FieldConflict' || observedGeneration === generation;
}

const MESSAGE_LENGTH = 8_000;

function cut(message: string): string {
  return message.length <= MESSAGE_LENGTH ? message : `${message.slice(0, MESSAGE_LENGTH)}…`;
}

/** What the status reports of the job, the boards and the dashboard in addition to conditions. */
export function details(
  resource: GameAnalytics,
  job: LiveObject | undefined,
  before: Status,
  now: Date,
): Pick<Status, 'job' | 'leaderboards' | 'dashboard'> {
  return {
    leaderboards: boards(resource).map(({ name, topic }) => ({ name, topic })),
    dashboard: { service: appName(resource, 'dashboard'), port: DASHBOARD_PORT },
    ...(job && { job: { ...flinkJob(job), ...revisionSince(job, before, now) } }),
  };
}

function revisionSince(job: LiveObject, before: Status, now: Date) {
  const revision = appliedRevision(job);
  if (revision === undefined) return {};
  const known = before.job?.revision === revision ? before.job.since : undefined;
  return { revision, since: known ?? now.toISOString() };
}

/** The status of a resource as we last wrote it. */
export function statusOf(live: LiveObject): Status {
  return (live.status ?? {}) as Status;
}
