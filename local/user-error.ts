/** Something the person at the keyboard can mend; the message says how. Shown without a stack trace. */
export class UserError extends Error {
  override name = 'UserError';
}
