/** Kubernetes' MicroTime, which wants exactly six digits of a second. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
