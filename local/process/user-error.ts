/** Something the user can fix; the message says how. Shown without a stack trace. */
export class UserError extends Error {
  override name = 'UserError';
}
