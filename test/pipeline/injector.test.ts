import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulate } from '../../injector/simulation.ts';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { readTopic } from '../../testkit/pipeline/topic.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = ['--disable-warning=TimeoutNegativeWarning', 'injector/main.ts'];

const GAME = {
  EVENTS_PER_SECOND: '2000',
  LIVE_TEAMS: '15',
  MEMBERS_MIN: '5',
  MEMBERS_MAX: '15',
  MAX_SCORE: '20',
  ROBOT_PROBABILITY: '0.2',
  LATE_SHARE: '0.02',
  SEED: '7',
};

interface LogLine {
  msg: string;
  total?: number;
  errors?: number;
}

describe('the injector', () => {
  let cluster: TestCluster;
  let injector: ChildProcess | undefined;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterEach(() => injector?.kill('SIGKILL'));
  afterAll(() => cluster?.stop());

  /** The program as it runs in a pod; `logged` fills with what it says. */
  async function start(topic: string): Promise<{ url: string; logged: LogLine[] }> {
    const port = await freePort();
    const env = {
      ...process.env,
      ...GAME,
      KAFKA_BOOTSTRAP_SERVERS: cluster.broker.bootstrapServers,
      EVENTS_TOPIC: topic,
      PORT: String(port),
    };
    const child = spawn(process.execPath, MAIN, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'inherit'] });
    injector = child;
    const logged: LogLine[] = [];
    createInterface(child.stdout).on('line', (line) => logged.push(JSON.parse(line)));
    return { url: `http://${LOOPBACK}:${port}`, logged };
  }

  async function ready(url: string): Promise<void> {
    const ask = () => fetch(`${url}/readyz`).catch(() => undefined);
    while (!(await ask())?.ok) await sleep(100);
  }

  /** Ends it as the kubelet does; its exit code, 0 when it could send all it had accepted. */
  async function terminate(): Promise<number | null> {
    const exited = once(injector as ChildProcess, 'close');
    injector?.kill('SIGTERM');
    return (await exited)[0];
  }

  const createTopic = (topic: string) =>
    cluster.broker.admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });

  /** What the topic holds, without times: who scored what, sorted. */
  async function stored(topic: string): Promise<string[]> {
    const records = await readTopic(cluster.kafka, topic);
    return records.map(({ value }) => who(JSON.parse(value ?? ''))).sort();
  }

  it('loses nothing and repeats nothing when the broker is killed twice and comes back', async () => {
    await createTopic('killed');
    const { url, logged } = await start('killed');
    await ready(url);
    for (let kill = 0; kill < 2; kill += 1) {
      await sleep(2_000);
      cluster.broker.process.restart();
      const before = (await metric(url, 'injector_events_sent_total')) ?? 0;
      while (((await metric(url, 'injector_events_sent_total')) ?? 0) <= before + 1_000) await sleep(250);
    }
    expect(await terminate()).toBe(0);
    const { total, errors } = logged.at(-1) as LogLine;
    const events = await stored('killed');
    expect(cluster.broker.process.crashes).toBe(2);
    expect(errors).toBeGreaterThan(0);
    expect(events.length).toBe(total);
    expect(events).toEqual(played(events.length));
  });

  it('sends the game of its seed', async () => {
    await createTopic('seeded');
    const { url } = await start('seeded');
    await ready(url);
    await sleep(1_000);
    expect(await terminate()).toBe(0);
    const events = await stored('seeded');
    expect(events.length).toBeGreaterThan(0);
    expect(events).toEqual(played(events.length));
  });

  it('waits for a topic that is not there yet, and makes none', async () => {
    const { url, logged } = await start('later');
    while (!logged.some(({ msg }) => msg.startsWith('waiting for'))) await sleep(100);
    expect(await cluster.broker.admin.listTopics()).not.toContain('later');
    await createTopic('later');
    await ready(url);
    expect(await terminate()).toBe(0);
  });
});

const GAME_OPTIONS = {
  eventsPerSecond: 2000,
  liveTeams: 15,
  membersMin: 5,
  membersMax: 15,
  maxScore: 20,
  robotProbability: 0.2,
  lateShare: 0.02,
  lateMinMillis: 300_000,
  lateMaxMillis: 600_000,
};

/** The first events of the game, sorted. Its times depend on when it is played, who scores what does not. */
function played(count: number): string[] {
  return simulate({ ...GAME_OPTIONS, seed: 7 }, 0)
    .take(count)
    .map(({ event }) => who(event))
    .toArray()
    .sort();
}

function who({ user_id, team_id, score }: { user_id: string; team_id: string; score: number }): string {
  return `${user_id} ${team_id} ${score}`;
}

async function metric(url: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text);
  return found?.[1] ? Number(found[1]) : undefined;
}
