import { z } from 'zod';

/** What resources and leaderboards are called: names of Services and topics are made of it. */
export const NAME_PATTERN = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** A field that names a resource or a leaderboard. */
export function ownName() {
  return z
    .string()
    .max(40)
    .regex(NAME_PATTERN, 'must be lower case letters, digits and -, beginning with a letter');
}

/** A field that names another Kubernetes object; `what` ends the sentence "must be …". */
export function objectName(what: string, longest = 253) {
  return z
    .string()
    .max(longest)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, `must be ${what}`);
}
