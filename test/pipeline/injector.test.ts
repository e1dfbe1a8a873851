import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import avro from 'avsc';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulate } from '../../injector/simulation.ts';
import { secretFolder, writeSecret } from '../../local/kafka/secrets.ts';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { openRegistryDoor, type RegistryDoor } from '../../testkit/pipeline/registry-door.ts';
import { type SchemaRegistry, startSchemaRegistry } from '../../testkit/pipeline/schema-registry.ts';
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
  level: number;
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
  async function start(topic: string, settings = {}): Promise<{ url: string; logged: LogLine[] }> {
    const port = await freePort();
    const env = {
      ...process.env,
      ...GAME,
      KAFKA_BOOTSTRAP_SERVERS: cluster.broker.bootstrapServers,
      EVENTS_TOPIC: topic,
      PORT: String(port),
      ...settings,
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

  describe('with a schema registry', () => {
    let registry: SchemaRegistry;
    let door: RegistryDoor;
    let settings: Record<string, string>;
    beforeAll(async () => {
      const { runtime } = cluster;
      registry = await startSchemaRegistry(runtime);
      door = await openRegistryDoor(registry.url);
      await writeSecret(runtime.stateDir, 'registry', door.secret);
      settings = {
        SCHEMA_REGISTRY_URL: `${door.url}/`,
        SCHEMA_REGISTRY_FOLDER: secretFolder(runtime.stateDir, 'registry'),
      };
    });
    afterAll(() => door?.close());

    async function ask(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
      const response = await fetch(`${registry.url}${path}`, init);
      return (await response.json()) as Record<string, unknown>;
    }

    it('signs in, waits until that answers, and writes Avro by the schema that it has registered', async () => {
      await createTopic('avro');
      door.isClosed = true;
      const { url, logged } = await start('avro', settings);
      while (!logged.some(({ msg }) => /^waiting for the schema registry https:\S+: HTTP 503$/.test(msg)))
        await sleep(100);
      expect(await (await fetch(`${url}/readyz`)).text()).toMatch(
        /^waiting for the schema registry .* 503\n$/,
      );
      door.isClosed = false;
      await ready(url);
      await sleep(1_000);
      expect(await terminate()).toBe(0);
      expect(door.refused).toBe(0);
      const { id, schema } = await ask('/subjects/avro-value/versions/latest');
      const type = avro.Type.forSchema(JSON.parse(String(schema)));
      const records = await readTopic(cluster.kafka, 'avro', 'latin1');
      const events = records.map(({ value }) => {
        const bytes = Buffer.from(value ?? '', 'latin1');
        expect([bytes[0], bytes.readInt32BE(1)]).toEqual([0, id]);
        return who(type.fromBuffer(bytes.subarray(5)));
      });
      expect(events.length).toBe(logged.at(-1)?.total);
      expect(events.sort()).toEqual(played(events.length));
    });

    it('says that it refuses the schema, and what to do', async () => {
      await createTopic('refused');
      const fields = [{ name: 'other', type: 'int' }];
      await registry.register('refused-value', { schema: { type: 'record', name: 'UserScore', fields } });
      const body = JSON.stringify({ compatibility: 'BACKWARD' });
      const headers = { 'Content-Type': 'application/vnd.schemaregistry.v1+json' };
      await ask('/config/refused-value', { method: 'PUT', headers, body });
      const { url, logged } = await start('refused', settings);
      const isError = ({ level }: LogLine) => level === 50;
      while (!logged.some(isError)) await sleep(100);
      expect(logged.find(isError)?.msg).toMatch(
        /^waiting for the schema registry https:\S+, which refuses the schema of the events for the subject refused-value \(HTTP 409, .*\): set the subject's compatibility to NONE/,
      );
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
      await ask('/config/refused-value', { method: 'PUT', headers, body: '{"compatibility": "NONE"}' });
      await ready(url);
      expect(await terminate()).toBe(0);
    });
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
