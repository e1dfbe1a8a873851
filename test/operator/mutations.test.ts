import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectedControlPlane } from '../support/control-plane/connected.ts';
import { FULL, gameAnalyticsMutations } from '../support/gameanalytics-mutations.ts';
import type { Mutation, Outcome } from '../support/mutations.ts';
import { Stage } from '../support/operator/stage.ts';

const plane = connectedControlPlane();

/** Fields that the API server lets nobody take back. */
const ONE_WAY = ['kafka.cluster', 'events.partitions'];

const all = gameAnalyticsMutations().map((mutation) => ({
  ...mutation,
  title: `spec.${mutation.path} ${mutation.what}`,
}));
const oneWay = all.filter(({ path, outcome }) => outcome === 'valid' && ONE_WAY.includes(path));
const of = (outcome: Outcome) =>
  all.filter((mutation) => mutation.outcome === outcome && !oneWay.includes(mutation));

let stage: Stage;
beforeAll(async () => {
  const kafkas = all.filter(({ outcome }) => outcome === 'valid').map(({ spec }) => kafkaOf(spec));
  const named = (name: 'cluster' | 'listener') =>
    [...new Set(kafkas.map((kafka) => kafka[name]))].filter((value) => value !== undefined);
  stage = await Stage.start(plane, named('cluster'), named('listener'));
});
afterAll(() => stage.stop());

function kafkaOf(spec: Mutation['spec']) {
  return spec.kafka as { cluster: string; listener?: string };
}

/** A resource with the full spec, and what its children are then. */
interface Lane {
  name: string;
  before: Record<string, unknown>;
}

const free: Lane[] = [];
let lanes = 0;

/** Lends a resource to a test that runs beside others. One that a failed test leaves behind is used no more. */
async function withLane(use: (lane: Lane) => Promise<void>): Promise<void> {
  const lane = free.pop() ?? (await newLane());
  await use(lane);
  free.push(lane);
}

async function newLane(): Promise<Lane> {
  lanes += 1;
  const name = `lane-${lanes}`;
  await stage.apply(name, FULL, 'Ready');
  await stage.untilAsPlanned(name);
  return { name, before: stage.settled(name) };
}

async function goBack({ name, before }: Lane): Promise<void> {
  await stage.apply(name, FULL, 'Ready');
  await stage.untilSettled(name, before);
}

describe('a wrong spec', () => {
  it.concurrent.each(of('refused'))('$title is refused by the API server', async ({ path, spec }) => {
    const refusal = await stage.refusal('nobody', spec);
    expect(path.match(/\w+/g)?.some((name) => refusal?.includes(name)) ?? refusal).toBeTruthy();
  });

  it.concurrent.each(of('reported'))('$title is reported, and changes nothing', async ({ path, spec }) => {
    await withLane(async (lane) => {
      const { message } = await stage.apply(lane.name, spec, 'InvalidSpec');
      expect(message).toContain(path.split('.').at(-1));
      expect(stage.settled(lane.name)).toEqual(lane.before);
      await goBack(lane);
    });
  });
});

describe('a spec', () => {
  it.concurrent.each(of('valid'))(
    '$title becomes its plan, and goes back without a trace',
    async ({ spec }) => {
      await withLane(async (lane) => {
        const { reason } = await stage.apply(lane.name, spec, 'Ready', 'Paused');
        if (reason === 'Paused') expect(stage.settled(lane.name)).toEqual(lane.before);
        else await stage.untilAsPlanned(lane.name);
        await goBack(lane);
      });
    },
  );

  it.concurrent.each(of('unrealisable'))(
    '$title is told in the words of the API server, and goes back without a trace',
    async ({ spec }) => {
      await withLane(async (lane) => {
        const { message } = await stage.apply(lane.name, spec, 'ApplyFailed');
        expect(message).toMatch(/ is invalid: .*spec\..*(Invalid|Unsupported) value/);
        await goBack(lane);
      });
    },
  );
});
