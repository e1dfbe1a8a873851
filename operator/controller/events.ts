import { documentation, type Reason } from '../../api/conditions.ts';
import type { Condition } from '../../api/status.ts';

/** Something to report to people as a Kubernetes event. */
export interface ResourceEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

/**
 * What a change of conditions is worth telling: once when a condition takes on a reason, never again while it
 * has it.
 */
export function conditionEvents(before: Condition[], after: Condition[]): ResourceEvent[] {
  const ready = after.find(({ type }) => type === 'Ready');
  return after.flatMap((condition) => {
    const type = documentation(condition.reason as Reason).event;
    const old = before.find((other) => other.type === condition.type);
    // The summary repeats what a part has said already.
    const repeats =
      condition === ready && after.some((part) => part !== ready && part.reason === ready.reason);
    if (!type || repeats || !isNews(condition, old)) return [];
    return [{ type, reason: condition.reason, action: condition.type, note: condition.message }];
  });
}

function isNews(condition: Condition, old: Condition | undefined): boolean {
  if (condition.reason !== old?.reason) return true;
  // Another conflict has the same reason and other words; the same problems of another spec are news too.
  const says = condition.type === 'FieldConflict' || condition.reason === 'InvalidSpec';
  return says && condition.message !== old.message;
}
