import { CONDITION_TYPES, type ConditionType } from '../../api/conditions.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Condition, Status } from '../../api/status.ts';
import { appName } from '../../plan/app.ts';
import { boards } from '../../plan/boards.ts';
import { DASHBOARD_PORT } from '../../plan/dashboard.ts';
import type { LiveObject } from '../kube/object.ts';
import { appliedRevision, flinkJob } from './job.ts';
import type { Verdict } from './verdict.ts';

/** The status of a pipeline; a field that is left out stays as it was. */
export type Verdicts = Partial<Record<ConditionType, Verdict>>;

/**
 * The conditions with these verdicts in them. A transition time moves only when its status flips; a conflict
 * is remembered until the spec changes, so that a person can still read of it.
 */
export function withVerdicts(
  before: Condition[],
  verdicts: Verdicts,
  observedGeneration: number,
  now: Date,
): Condition[] {
  return CONDITION_TYPES.flatMap((type) => {
    const old = before.find((condition) => condition.type === type);
    const verdict = verdicts[type];
    if (!verdict) return old && stays(old, observedGeneration) ? [old] : [];
    const lastTransitionTime =
      old?.status === verdict.status ? old.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
    return [{ type, ...verdict, message: cut(verdict.message), lastTransitionTime, observedGeneration }];
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
