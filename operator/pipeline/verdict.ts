import type { Reason } from '../../api/conditions.ts';

/** The state of one part of a pipeline: a condition without its times. */
export interface Verdict {
  status: 'True' | 'False' | 'Unknown';
  reason: Reason;
  message: string;
}

export function holds(reason: Reason, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function fails(reason: Reason, message: string): Verdict {
  return { status: 'False', reason, message };
}
