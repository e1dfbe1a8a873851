import { z } from 'zod';

/** A field that names another Kubernetes object; `what` ends the sentence "must be …". */
export function objectName(what: string, longest = 253) {
  return z
    .string()
    .max(longest)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, `must be ${what}`);
}
