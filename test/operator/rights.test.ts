import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { parseSettings, type Settings } from '../../operator/settings.ts';
import { type InstalledChart, installChart, renderChart } from '../../testkit/cluster/chart.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { boundRoles, permissionsOf, permissionsUsed, without } from '../../testkit/cluster/rights.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { Life } from '../../testkit/operator/life.ts';
import { startOperator } from '../../testkit/operator/operator.ts';

const CRD = new URL('../../crds/gameanalytics.yaml', import.meta.url).pathname;

/** Where the operator is. */
let namespace: string;
/** Where the resource is. */
let games: string;

describe.each(['all namespaces', 'one namespace'])('the chart’s rights: %s', (scope) => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ audit: true });
    await plane.kubectl('apply', `--filename=${CRD}`);
    namespace = await plane.newNamespace();
    games = await plane.newNamespace();
  });

  afterAll(() => plane?.stop());

  it('are enough for all that an operator ever does, and none is left unused', async () => {
    const values = { watchNamespace: scope === 'one namespace' ? games : '' };
    const chart = await installChart(plane, { namespace, ...values });
    const requests = async () =>
      (await plane.auditEvents()).filter(({ user }) => user.username === userOf(chart));
    const refusals = async () => {
      const refused = (await requests()).filter(({ responseStatus }) => responseStatus?.code === 403);
      return [...new Set(refused.map(({ responseStatus }) => responseStatus?.message))];
    };
    // Refusals say more than what did not come about for them.
    await live(plane, chart).finally(async () => expect(await refusals()).toEqual([]));
    const permissions = permissionsOf(boundRoles(await renderChart(plane, { namespace, values })));
    expect(permissions).not.toHaveLength(0);
    const unused = async () => {
      const used = new Set((await requests()).flatMap(permissionsUsed));
      return permissions.filter((permission) => !used.has(permission));
    };
    // The end of an audit log is some milliseconds late.
    await expect.poll(unused, { timeout: 5_000, message: 'permissions that nothing used' }).toEqual([]);
  });
});

// What no request shows by itself: one that makes a RoleBinding counts as the use of both.
describe('to make a RoleBinding', () => {
  const plane = connectedControlPlane();

  it.each([
    { verb: 'create', resource: 'rolebindings', refusal: 'cannot create resource "rolebindings"' },
    { verb: 'bind', resource: 'clusterroles', refusal: 'grant RBAC permissions not currently held' },
  ])('the right to $verb $resource is needed', async ({ verb, resource, refusal }) => {
    namespace = await plane.newNamespace();
    games = await plane.newNamespace();
    const values = { watchNamespace: games };
    const user = userOf(await installChart(plane, { namespace, ...values }));
    const bind = () => plane.apply(jobBinding(), '--dry-run=server', `--as=${user}`);
    await expect(bind()).resolves.toContain('serverside-applied');
    for (const role of boundRoles(await renderChart(plane, { namespace, values })))
      await plane.apply({ ...role, rules: without(role.rules ?? [], verb, resource) });
    // The API server hears of a changed role a little later.
    const refused = () => bind().then(() => undefined, String);
    const answer = await until(refused, { everyMillis: 100, signal: AbortSignal.timeout(10_000) });
    expect(answer).toContain(refusal);
  });
});

/** Two operators, as the chart's pods would be, do all they ever do. */
async function live(plane: ControlPlane, chart: InstalledChart): Promise<void> {
  const config = await plane.serviceAccount(namespace, chart.serviceAccount);
  const life = new Life(new Arcade(plane, games), (identity) =>
    startOperator(config, namespace, settingsOf(chart, identity)),
  );
  try {
    await life.run();
  } finally {
    await life.end();
  }
}

function settingsOf({ environment }: InstalledChart, identity: string): Settings {
  const parsed = parseSettings([], environment, identity);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  const { watchNamespace } = parsed.settings;
  // Also where it is unset: startOperator() would set it.
  return { ...parsed.settings, watchNamespace, host: '127.0.0.1', port: 0 };
}

function userOf({ serviceAccount }: InstalledChart): string {
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}

/** As a resource's plan has it. */
function jobBinding() {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'arcade-job', namespace: games },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gameanalytics-flink-job' },
    subjects: [{ kind: 'ServiceAccount', name: 'arcade-job', namespace: games }],
  };
}
