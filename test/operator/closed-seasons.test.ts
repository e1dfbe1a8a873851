import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiServer } from '../../lib/api-server.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import { Announcer } from '../../results/announcer.ts';
import { installChart, renderChart } from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds } from '../../testkit/cluster/crds.ts';
import { permissionsOf, permissionsUsed } from '../../testkit/cluster/rights.ts';
import { Arcade, writesOf } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const SPEC = { events: { latestArrival: '10m' }, results: {} };
const SIX = '2026-11-29T06:00:00.000Z';
const SEVEN = '2026-11-29T07:00:00.000Z';
const EIGHT = '2026-11-29T08:00:00.000Z';

const { signal } = new AbortController();
const log: string[] = [];
let plane: ControlPlane;
let arcade: Arcade;
let standIns: StandIns;
let operator: TestOperator;
/** The account of the results' pod. */
let account: string;

beforeAll(async () => {
  plane = await startControlPlane({ audit: true, crds: availableCrds() });
  const namespace = await plane.newNamespace();
  const { serviceAccount } = await installChart(plane, { namespace, watchNamespace: namespace });
  await createKafka(plane.kubeConfig(), namespace, 'games');
  standIns = await startStandIns(plane.kubeConfig(), { namespaces: [namespace] });
  operator = startOperator(await plane.serviceAccount(namespace, serviceAccount), namespace);
  arcade = new Arcade(plane, namespace);
  await arcade.apply(SPEC);
  await arcade.ready();
  account = await plane.mountedServiceAccount(namespace, 'arcade-results');
});

afterAll(async () => {
  await operator?.stop();
  await standIns?.stop();
  await plane?.stop();
});

/** The part of a program that has just started. */
function startAnnouncer(...boards: string[]): Announcer {
  return new Announcer({
    api: new ApiServer(plane.kubeConfig().getCurrentCluster()!.server, account),
    source: { namespace: arcade.namespace, name: 'arcade' },
    boards: new Set(boards),
    topic: 'arcade-results',
    instance: 'arcade-results-1',
    log: pino({}, { write: (line: string) => void log.push(line) }),
  });
}

const id = (subject: string, start: string) => `${arcade.namespace}/arcade/${subject}/${start}`;
const closedSeasons = async () => (await arcade.status()).closedSeasons;
const events = async () => (await arcade.events()).filter((reason) => reason === 'SeasonClosed');

describe('seasons that are closed', () => {
  it('are in the status, each board’s last one, and an event tells of them', async () => {
    const announcer = startAnnouncer('teams', 'players');
    announcer.take(id('teams', SEVEN), Date.parse(EIGHT));
    announcer.take(id('teams', SIX), Date.parse(EIGHT) + 1);
    announcer.take(id('players/a%2Fb', SIX), Date.parse(SEVEN));
    announcer.take(id('players/c', SIX), Date.parse(EIGHT));
    // Of another board, another resource, and no id at all.
    announcer.take(id('removed', EIGHT), 0);
    announcer.take(`elsewhere/arcade/teams/${EIGHT}`, 0);
    announcer.take(id('teams', 'soon'), 0);
    await announcer.announce(0, signal);
    expect(await closedSeasons()).toEqual([
      { board: 'teams', start: SEVEN, closedAt: EIGHT },
      { board: 'players', start: SIX, closedAt: SEVEN },
    ]);
    expect(await events()).toHaveLength(2);
    expect(await arcade.note('SeasonClosed')).toBe(
      `players: the season of ${SIX} is closed, and its result is in the topic arcade-results.`,
    );
    expect(await arcade.kubectl('describe', 'ga', 'arcade')).toContain(`teams: the season of ${SEVEN}`);
  });

  it('are announced once, also by a program that starts again and reads all results', async () => {
    const before = await closedSeasons();
    const announcer = startAnnouncer('teams', 'players');
    for (const start of [SIX, SEVEN]) announcer.take(id('teams', start), 0);
    announcer.take(id('players/c', SIX), 0);
    await announcer.announce(0, signal);
    expect(await closedSeasons()).toEqual(before);
    expect(await events()).toHaveLength(2);
  });

  it('stay in the status when the operator writes its part, which does not move', async () => {
    const before = await closedSeasons();
    await arcade.apply({ ...SPEC, dashboard: { title: 'Games' } });
    await arcade.ready();
    expect(await closedSeasons()).toEqual(before);
    const { metadata } = JSON.parse(
      await arcade.kubectl('get', 'ga', 'arcade', '--output=json', '--show-managed-fields'),
    ) as LiveObject;
    const owners = metadata.managedFields?.filter(({ fieldsV1 }) =>
      JSON.stringify(fieldsV1).includes('closedSeasons'),
    );
    expect(owners?.map(({ manager }) => manager)).toEqual(['gameanalytics-results']);
  });

  it('are the next ones in the end, without boards that are gone, and without a write of the operator', async () => {
    const writes = await writesOf(operator.metrics);
    const announcer = startAnnouncer('teams');
    announcer.take(id('teams', EIGHT), Date.parse(EIGHT));
    await announcer.announce(0, signal);
    expect(await closedSeasons()).toEqual([{ board: 'teams', start: EIGHT, closedAt: EIGHT }]);
    expect(await events()).toHaveLength(3);
    const reconciled = () =>
      operator.metrics.registry.getSingleMetricAsString('controller_runtime_reconcile_total');
    const before = await reconciled();
    await arcade.kubectl('label', 'ga', 'arcade', 'looked=at');
    await expect.poll(reconciled).not.toBe(before);
    expect(await writesOf(operator.metrics)).toBe(writes);
  });

  it('wait while the API server refuses, and are announced by a later try', async () => {
    const other = await plane.mountedServiceAccount(arcade.namespace, 'arcade-dashboard');
    const right = account;
    account = other;
    const announcer = startAnnouncer('teams');
    announcer.take(id('teams', '2026-11-29T09:00:00.000Z'), 0);
    const before = log.length;
    await announcer.announce(0, signal);
    await announcer.announce(999, signal);
    expect(log.slice(before).map((line) => JSON.parse(line).msg)).toEqual([
      expect.stringContaining('"arcade" is forbidden'),
    ]);
    expect(await events()).toHaveLength(3);
    for (const file of ['token', 'ca.crt']) await copyFile(join(right, file), join(other, file));
    await announcer.announce(2000, signal);
    expect(await events()).toHaveLength(4);
    account = right;
  });
});

describe('the rights of the results', () => {
  it('are all used', async () => {
    const role = (await renderChart(plane, { namespace: arcade.namespace })).filter(
      ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'gameanalytics-results',
    );
    const user = `system:serviceaccount:${arcade.namespace}:arcade-results`;
    const unused = async () => {
      const requests = (await plane.auditEvents()).filter((event) => event.user.username === user);
      const used = new Set(requests.flatMap(permissionsUsed));
      return permissionsOf(role).filter((permission) => !used.has(permission));
    };
    expect(permissionsOf(role)).toHaveLength(3);
    await expect.poll(unused, { timeout: 5_000 }).toEqual([]);
  });
});
