import type { MergeKeys } from '../kube/kinds.ts';

type Fields = Record<string, unknown>;

/**
 * Whether a live object already has everything we would write. What others add to it (defaults, an
 * autoscaler's replicas, a sidecar, a label) is theirs and does not count.
 *
 * @param live what the API server holds
 * @param desired what we own of it
 * @param mergeKeys those of the object's kind
 */
export function isUpToDate(live: unknown, desired: unknown, mergeKeys: MergeKeys = {}, path = ''): boolean {
  if (Array.isArray(desired)) return Array.isArray(live) && isListUpToDate(live, desired, mergeKeys, path);
  if (!isObject(desired)) return live === desired;
  // The API server leaves out what is empty.
  if (!isObject(live)) return live === undefined && Object.keys(desired).length === 0;
  // The API server rewrites quantities: 1000m of a core becomes 1, 1024Mi become 1Gi.
  if (/\.resources\.(requests|limits)$/.test(path))
    return Object.entries(desired).every(([name, value]) => thousandths(live[name]) === thousandths(value));
  return Object.entries(desired).every(([name, value]) =>
    isUpToDate(live[name], value, mergeKeys, path ? `${path}.${name}` : name),
  );
}

function isListUpToDate(live: unknown[], desired: unknown[], mergeKeys: MergeKeys, path: string): boolean {
  const keys = path === 'metadata.ownerReferences' ? ['uid'] : mergeKeys[path];
  if (keys === undefined)
    return (
      live.length === desired.length && desired.every((item, i) => isUpToDate(live[i], item, mergeKeys, path))
    );
  const byKey = new Map(live.map((item) => [mergeKey(item, keys), item]));
  return desired.every((item) => isUpToDate(byKey.get(mergeKey(item, keys)), item, mergeKeys, path));
}

function mergeKey(item: unknown, keys: readonly string[]): string {
  return keys.map((key) => isObject(item) && item[key]).join();
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many thousandths a unit is. */
const UNITS: Record<string, number> = {
  '': 1e3,
  m: 1,
  k: 1e6,
  M: 1e9,
  G: 1e12,
  T: 1e15,
  P: 1e18,
  E: 1e21,
  Ki: 2 ** 10 * 1e3,
  Mi: 2 ** 20 * 1e3,
  Gi: 2 ** 30 * 1e3,
  Ti: 2 ** 40 * 1e3,
  Pi: 2 ** 50 * 1e3,
  Ei: 2 ** 60 * 1e3,
};

/** The API server takes no quantity beyond this one. */
const GREATEST = 2 ** 63 * 1e3;

function thousandths(quantity: unknown): number | undefined {
  const [, digits, exponent = '', unit = ''] =
    /^([0-9.]+)(e[0-9]+)?([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit];
  if (digits === undefined || factor === undefined) return undefined;
  // Decimal fractions are inexact from the 16th digit on: 0.57 of a core would be a little more than 570m.
  const amount = Number((Number(digits + exponent) * factor).toPrecision(15));
  // As the API server keeps it.
  return Math.min(Math.ceil(amount), GREATEST);
}
