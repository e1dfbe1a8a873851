import type { Reason } from '../../api/conditions.ts';

/** What is to be said of one part of a pipeline: a condition but for its times. */
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
