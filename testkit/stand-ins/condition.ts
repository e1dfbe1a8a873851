/** A condition of a foreign status. */
export interface Condition {
  type: string;
  status: 'True' | 'False';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The condition with the time at which its status last flipped: the old one's, when it did not flip now. */
export function since(condition: Condition, before: Condition[] | undefined, now: string): Condition {
  const old = before?.find(({ type }) => type === condition.type);
  const same = old?.status === condition.status ? old.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: same ?? now };
}

/** The time now as operators write it: to the second. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
