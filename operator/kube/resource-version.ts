/**
 * Orders two resource versions of objects of one kind, as a sort function does: negative when `a` is the
 * older. They are decimal numbers that may be too long for a JavaScript number.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
