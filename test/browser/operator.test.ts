import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, startKafka } from '../../local/kafka/broker.ts';
import { startLocalRuntime } from '../../local/local-runtime.ts';
import { SOON, startChromium, visit } from '../../testkit/browser/browser.ts';
import { shownRows } from '../../testkit/browser/shown-board.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds } from '../../testkit/cluster/crds.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { startOperator } from '../../testkit/operator/operator.ts';
import { expectBoardsToEqualOracle } from '../../testkit/oracle/boards.ts';
import { kafkaClient } from '../../testkit/pipeline/topic.ts';
import { longSeason } from '../../testkit/resources/long-season.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { LocalApps, localJobs } from '../../testkit/stand-ins/local.ts';
import { startStandIns } from '../../testkit/stand-ins/stand-ins.ts';
import { kafkaTopics } from '../../testkit/stand-ins/topics.ts';

/*
 * From kubectl to a person's screen: a real API server, our operator, and behind the stand-ins for Strimzi,
 * Flink's operator and the kubelet a real Kafka, a real Flink and real processes.
 */

const SEASON = longSeason();
const teams = (size: number) => ({ name: 'top-teams', type: 'TopTeams', size, season: SEASON });
const PLAYERS = { name: 'top-players', type: 'TopPlayers', size: 7, season: SEASON };
/** How long a new job may take on a slow machine. */
const ROLLED = 150_000;

const cleanup = new AsyncDisposableStack();
let plane: ControlPlane;
let broker: Broker;
let apps: LocalApps;
let browser: Browser;
let arcade: Arcade;

beforeAll(async () => {
  browser = await startChromium(cleanup);
  plane = await startControlPlane({ controllerManager: true, crds: availableCrds() });
  cleanup.defer(() => plane.stop());
  const stateDir = await mkdtemp(join(tmpdir(), 'gameanalytics-test-'));
  cleanup.defer(() => rm(stateDir, { recursive: true, force: true }));
  const report = (sentence: string) => void process.stderr.write(`  [local] ${sentence}\n`);
  const runtime = await startLocalRuntime(stateDir, report, new AbortController().signal);
  cleanup.defer(() => runtime.close());
  broker = await startKafka(runtime);
  apps = new LocalApps(runtime);
  const namespace = await plane.newNamespace();
  const standIns = await startStandIns(plane.kubeConfig(), {
    namespaces: [namespace],
    backends: { topics: kafkaTopics(broker.admin), jobs: localJobs(runtime), apps },
  });
  cleanup.defer(() => standIns.stop());
  const operator = startOperator(plane.kubeConfig(), namespace);
  cleanup.defer(() => operator.stop());
  await createKafka(plane.kubeConfig(), namespace, 'games', { bootstrapServers: broker.bootstrapServers });
  arcade = new Arcade(plane, namespace);
});
afterAll(() => cleanup.disposeAsync());

/**
 * Waits until the page shows so many rows of a board. A new revision of the dashboard has another address.
 */
async function expectRows(board: string, count: number): Promise<void> {
  const { page, complaints } = await visit(browser, apps.url('arcade-dashboard') ?? '');
  await expect.poll(async () => (await shownRows(page, board)).length, SOON).toBe(count);
  expect(complaints).toEqual([]);
  await page.context().close();
}

/** How long a season of a board is, by what the dashboard says of the one it shows. */
async function seasonMillis(board: string): Promise<number> {
  const response = await fetch(`${apps.url('arcade-dashboard')}/api/boards/${board}`);
  const { season } = (await response.json()) as { season?: { start: string; end: string } };
  return season ? Date.parse(season.end) - Date.parse(season.start) : 0;
}

const topics = async () =>
  (await broker.admin.listTopics()).filter((topic) => topic.startsWith('arcade-')).sort();

describe('a GameAnalytics on a cluster', () => {
  it('becomes topics, a job, processes, and boards in a browser', async () => {
    await arcade.apply({ leaderboards: [teams(4)], injector: { eventsPerSecond: 50, seed: 3 } });
    await arcade.kubectl('wait', '--for=condition=Ready', 'ga/arcade', '--timeout=150s');
    expect(await topics()).toEqual(['arcade-pipeline-stats', 'arcade-top-teams', 'arcade-user-score']);
    await expectRows('top-teams', 4);
  });

  it('follows an edit: a board’s size, another board, the rate of events', async () => {
    await arcade.apply({ leaderboards: [teams(9), PLAYERS], injector: { eventsPerSecond: 200, seed: 4 } });
    await arcade.until('JobRunning', { reason: 'Replaying' });
    await arcade.until('Ready', { status: 'True' }, ROLLED);
    expect(await topics()).toEqual([
      'arcade-pipeline-stats',
      'arcade-top-players',
      'arcade-top-teams',
      'arcade-user-score',
    ]);
    await expectRows('top-teams', 9);
    await expectRows('top-players', 7);
  });

  it('has exact boards after all that, once the game is over', async () => {
    const spec = { leaderboards: [teams(9), PLAYERS] };
    await arcade.apply(spec);
    await arcade.until('InjectorReady', { reason: 'Disabled' });
    await arcade.ready();
    expect(apps.url('arcade-injector')).toBeUndefined();
    await expectBoardsToEqualOracle(
      kafkaClient(broker.bootstrapServers),
      resource(spec, 'arcade'),
      Date.now(),
    );
  });

  it('follows a change of the season', async () => {
    await arcade.apply({ leaderboards: [teams(9), { ...PLAYERS, season: '1m' }] });
    await arcade.until('Ready', { status: 'True' }, ROLLED);
    await expect.poll(async () => seasonMillis('top-players'), SOON).toBe(60_000);
  });

  it('goes, and leaves its events', async () => {
    await arcade.kubectl('delete', 'ga', 'arcade', '--wait');
    await expect.poll(topics, SOON).toEqual(['arcade-user-score']);
    await expect.poll(() => apps.url('arcade-dashboard'), SOON).toBeUndefined();
    const children = async () => [...(await arcade.children()).keys()];
    await expect.poll(children, SOON).toEqual(['KafkaTopic arcade-user-score']);
  });
});
