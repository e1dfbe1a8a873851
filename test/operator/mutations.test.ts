import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { writesOf } from '../../testkit/operator/arcade.ts';
import { Stage } from '../../testkit/operator/stage.ts';
import { FULL, gameAnalyticsMutations } from '../../testkit/resources/gameanalytics-mutations.ts';
import type { Mutation, Outcome } from '../../testkit/resources/mutations.ts';
import { validSpecs } from '../../testkit/resources/specs.ts';

const plane = connectedControlPlane();

/** Fields that the API server lets nobody take back. */
const ONE_WAY = ['kafka.cluster', 'events.partitions'];

const all = gameAnalyticsMutations();
const oneWay = all.filter(({ path, outcome }) => outcome === 'valid' && ONE_WAY.includes(path));
const others = all.filter((mutation) => !oneWay.includes(mutation));

/** Each under its own words. */
const titled = (mutations: Mutation[]) =>
  mutations.map((mutation) => [`spec.${mutation.path} ${mutation.what}`, mutation] as const);
const of = (wanted: Outcome) => titled(others.filter(({ outcome }) => outcome === wanted));

let stage: Stage;
beforeAll(async () => {
  const kafkas = all.filter(({ outcome }) => outcome === 'valid').map(({ spec }) => spec.kafka as Kafka);
  const clusters = new Set(kafkas.map(({ cluster }) => cluster));
  const plain = kafkas.filter(({ authentication }) => !authentication);
  const listeners = new Set(plain.map(({ listener = 'plain' }) => listener));
  stage = await Stage.start(plane, [...clusters], [...listeners, { name: 'tls', authentication: 'tls' }]);
});
afterAll(() => stage.stop());

interface Kafka {
  cluster: string;
  listener?: string;
  authentication?: object;
}

/** A resource that goes from spec to spec, and now and then back to the full one. */
interface Lane {
  name: string;
  /** What its children are with the full spec. */
  full: Record<string, unknown>;
  /** What was done to it since it had that. */
  since: string[];
}

/** After so many specs a resource goes back: fewer take longer, more tell less of which one left a trace. */
const SPECS_PER_WAY_BACK = 10;

const free: Lane[] = [];
let names = 0;

function newName(): string {
  names += 1;
  return `game-${names}`;
}

/**
 * Lends a resource to a test that runs in parallel with others. One that a failed test leaves behind is used
 * no more.
 */
async function withLane(title: string, use: (lane: Lane) => Promise<void>): Promise<void> {
  const lane = free.pop() ?? (await newLane());
  lane.since.push(title);
  await use(lane);
  if (lane.since.length === SPECS_PER_WAY_BACK) await goBack(lane);
  free.push(lane);
}

async function newLane(): Promise<Lane> {
  const name = newName();
  await stage.apply(name, FULL, 'Ready');
  await stage.untilAsPlanned(name);
  return { name, full: stage.settled(name), since: [] };
}

/** Without a trace of all that it went through. */
async function goBack({ name, full, since }: Lane): Promise<void> {
  await stage.apply(name, FULL, 'Ready');
  await stage.untilSettled(name, full, `after ${since.splice(0).join(', ')}`);
}

describe('a wrong spec', () => {
  it.concurrent.each(of('refused'))('%s is refused by the API server', async (_, { path, spec }) => {
    const refusal = await stage.refusal('nobody', spec);
    expect(path.match(/\w+/g)?.some((name) => refusal?.includes(name)) ?? refusal).toBeTruthy();
  });

  it.concurrent.each(of('reported'))('%s is reported, and changes nothing', async (title, mutation) => {
    await withLane(title, async ({ name }) => {
      const before = stage.settled(name);
      const { message } = await stage.apply(name, mutation.spec, 'InvalidSpec');
      expect(message).toContain(mutation.path.split('.').at(-1));
      expect(stage.settled(name)).toEqual(before);
    });
  });
});

describe('a spec', () => {
  it.concurrent.each(of('valid'))('%s becomes its plan', async (title, { spec }) => {
    await withLane(title, async ({ name }) => {
      const before = stage.settled(name);
      const { reason } = await stage.apply(name, spec, 'Ready', 'Paused');
      if (reason === 'Paused') expect(stage.settled(name)).toEqual(before);
      else await stage.untilAsPlanned(name);
    });
  });

  it.concurrent.each(of('unrealisable'))(
    '%s is reported in the words of the API server, and goes back without a trace',
    async (title, { spec }) => {
      await withLane(title, async (lane) => {
        const { message } = await stage.apply(lane.name, spec, 'ApplyFailed');
        expect(message).toMatch(/ is invalid: .*spec\..*(Invalid|Unsupported) value/);
        await goBack(lane);
      });
    },
  );
});

describe('a resource', () => {
  it('goes back from all of them without a trace', async () => {
    for (const lane of free) await goBack(lane);
  });
});

describe('a field that cannot be taken back', () => {
  it.concurrent.each(titled(oneWay))('%s becomes its plan, and stays', async (_, { path, spec }) => {
    const name = newName();
    await stage.apply(name, spec, 'Ready');
    await stage.untilAsPlanned(name);
    const refusal = await stage.refusal(name, FULL);
    if (path === 'kafka.cluster') expect(refusal).toContain('kafka.cluster cannot be changed');
    else if (partitionsOf(spec) > partitionsOf(FULL)) expect(refusal).toContain('may grow, never shrink');
    else expect(refusal).toBeUndefined();
  });
});

function partitionsOf({ events }: Mutation['spec']): number {
  return (events as { partitions?: number }).partitions ?? 0;
}

/**
 * Edits that follow each other, and a spec that they begin with. Partitions only grow, so they stay as they
 * are; and a topic of results that is retained would stay.
 */
function edits(count: number, seed: number): Mutation['spec'][] {
  return fc.sample(validSpecs(), { numRuns: count, seed }).map((spec) => {
    const { partitions: _, ...events } = (spec.events ?? {}) as Record<string, unknown>;
    return { ...spec, events: { ...events, ...('results' in spec && { deletionPolicy: 'Delete' }) } };
  });
}

/** Children without what tells one resource, or its namespace, from another of the same name. */
function comparable(stage: Stage, name: string): unknown {
  const withoutDigests = (key: string, value: unknown) =>
    key === 'gameanalytics.dev/applied' ? undefined : value;
  return JSON.parse(JSON.stringify(stage.settled(name), withoutDigests).replaceAll(stage.namespace, 'here'));
}

describe('a path of edits', () => {
  const COMES_TO_REST = ['Ready', 'Paused', 'ApplyFailed'];
  let here: Stage;
  let there: Stage;
  beforeAll(async () => {
    [here, there] = await Promise.all([Stage.start(plane), Stage.start(plane)]);
  });
  afterAll(() => Promise.all([here.stop(), there.stop()]));

  it.concurrent('leads back to the children it began with', async () => {
    await here.apply('patient', FULL, 'Ready');
    await here.untilAsPlanned('patient');
    const before = here.settled('patient');
    for (const spec of edits(15, 1)) {
      const { reason } = await here.apply('patient', spec, ...COMES_TO_REST);
      if (reason === 'Ready') await here.untilAsPlanned('patient');
    }
    await here.apply('patient', FULL, 'Ready');
    await here.untilSettled('patient', before);
  });

  it.concurrent('leads back to them when nobody waits for what an edit comes to', async () => {
    await there.apply('hasty', FULL, 'Ready');
    await there.untilAsPlanned('hasty');
    const before = there.settled('hasty');
    for (const [i, spec] of edits(15, 2).entries()) {
      await there.user.applySpec(there.namespace, 'hasty', spec);
      await sleep((i % 10) * 20);
    }
    await there.apply('hasty', FULL, 'Ready');
    await there.untilSettled('hasty', before);
  });

  it.concurrent('leads to the same children as any other path', async () => {
    for (const [stage, seed] of [
      [here, 3],
      [there, 4],
    ] as const) {
      for (const spec of edits(5, seed)) await stage.apply('arcade', spec, ...COMES_TO_REST);
      await stage.apply('arcade', FULL, 'Ready');
      await stage.untilAsPlanned('arcade');
    }
    expect(comparable(here, 'arcade')).toEqual(comparable(there, 'arcade'));
  });

  // Kubernetes sets requests that are missing to the limits, and forgets that it did.
  it.concurrent('leads through limits alone, which shrink and go', async () => {
    const limited = (resources: object) => ({ kafka: { cluster: 'games' }, dashboard: { resources } });
    await there.apply('limited', limited({}), 'Ready');
    await there.untilAsPlanned('limited');
    const before = there.settled('limited');
    for (const cpu of ['2', '250m']) {
      await there.apply('limited', limited({ limits: { cpu } }), 'Ready');
      await there.untilAsPlanned('limited');
    }
    await there.apply('limited', limited({}), 'Ready');
    await there.untilSettled('limited', before);
  });

  it('leaves the next operator nothing to write', async () => {
    const { metrics } = await here.restartOperator();
    await expect
      .poll(() => metrics.registry.getSingleMetricAsString('controller_runtime_reconcile_total'))
      .toMatch(/result="success"\} 2/);
    expect(await writesOf(metrics)).toBe(0);
  });
});
