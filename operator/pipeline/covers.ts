type Fields = Record<string, unknown>;

/**
 * Whether a live object already has everything we would write. What others have beside it (defaults, an autoscaler's
 * replicas, a sidecar, a label) is theirs and does not count.
 *
 * @param live what the API server holds
 * @param desired what we own of it
 */
export function covers(live: unknown, desired: unknown, path = ''): boolean {
  if (Array.isArray(desired)) return Array.isArray(live) && coversList(live, desired, path);
  if (!isObject(desired)) return live === desired;
  if (!isObject(live)) return false;
  const same = /\.resources\.(requests|limits)$/.test(path) ? sameQuantity : covers;
  return Object.entries(desired).every(([name, value]) =>
    same(live[name], value, path ? `${path}.${name}` : name),
  );
}

/** Lists that the API server merges by a key: others may have items of their own in them. Any other is ours as a whole. */
const MERGED_BY: Record<string, string> = {
  'metadata.ownerReferences': 'uid',
  'spec.ports': 'port',
  'spec.template.spec.containers': 'name',
  'spec.template.spec.containers.env': 'name',
  'spec.template.spec.containers.ports': 'containerPort',
};

function coversList(live: unknown[], desired: unknown[], path: string): boolean {
  const key = MERGED_BY[path];
  if (key === undefined)
    return live.length === desired.length && desired.every((item, i) => covers(live[i], item, path));
  const byKey = new Map(live.map((item) => [keyOf(item, key), item]));
  return desired.every((item) => covers(byKey.get(keyOf(item, key)), item, path));
}

function keyOf(item: unknown, key: string): unknown {
  return isObject(item) ? item[key] : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The API server rewrites quantities: 1000m of a core becomes 1, 1024Mi become 1Gi. */
function sameQuantity(live: unknown, desired: unknown): boolean {
  return amount(live) === amount(desired);
}

const UNITS: Record<string, number> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity as a number of 12 significant digits, so that 0.1 and 100m are the same. */
function amount(quantity: unknown): string | undefined {
  const [, digits, exponent = '', unit = ''] =
    /^([0-9.]+)(e[0-9]+)?([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit];
  return digits === undefined || factor === undefined
    ? undefined
    : (Number(digits + exponent) * factor).toPrecision(12);
}
