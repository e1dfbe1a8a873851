import type { Reason } from '../../api/conditions.ts';

/** The state of one part of a pipeline: a condition without its times. */
export interface ConditionState {
  status: 'True' | 'False' | 'Unknown';
  reason: Reason;
  message: string;
}

export function conditionTrue(reason: Reason, message: string): ConditionState {
  return { status: 'True', reason, message };
}

export function conditionFalse(reason: Reason, message: string): ConditionState {
  return { status: 'False', reason, message };
}
