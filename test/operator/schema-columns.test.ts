import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment, FlinkDeployment } from '../../plan/objects.ts';
import { installChart, renderChart } from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds } from '../../testkit/cluster/crds.ts';
import { permissionsOf, permissionsUsed } from '../../testkit/cluster/rights.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const field = (name: string, type: unknown) => ({ name, type });
const GAME = [field('user_id', 'string'), field('score', 'int'), field('event_time_millis', 'long')];
const SUBJECT = 'arcade-user-score-value';

/** The versions of the subject that the registry has. */
let versions: object[][] = [];
let registry: Server;
let plane: ControlPlane;
let arcade: Arcade;
let standIns: StandIns;
let operator: TestOperator;
let program: ChildProcess | undefined;

beforeAll(async () => {
  registry = createServer(({ url }, response) => {
    const fields = url === `/subjects/${SUBJECT}/versions/latest` && versions.at(-1);
    if (!fields) return response.writeHead(404).end('{"error_code": 40401, "message": "Subject not found."}');
    const schema = JSON.stringify({ type: 'record', name: 'Play', fields });
    return response.end(JSON.stringify({ subject: SUBJECT, version: versions.length, id: 7, schema }));
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  plane = await startControlPlane({ audit: true, crds: availableCrds() });
  const namespace = await plane.newNamespace();
  const { serviceAccount } = await installChart(plane, { namespace, watchNamespace: namespace });
  await createKafka(plane.kubeConfig(), namespace, 'games');
  standIns = await startStandIns(plane.kubeConfig(), {
    namespaces: [namespace],
    outcomes: { schema: 'stuck' },
  });
  operator = startOperator(await plane.serviceAccount(namespace, serviceAccount), namespace);
  arcade = new Arcade(plane, namespace);
});

afterEach(async () => {
  if (program?.kill()) await once(program, 'exit');
  program = undefined;
});

afterAll(async () => {
  await operator?.stop();
  await standIns?.stop();
  await plane?.stop();
  registry?.close();
});

/** A spec whose columns are the registry's to say. */
function spec(board: object = {}, others: object = {}): Record<string, unknown> {
  const { port } = registry.address() as AddressInfo;
  return {
    events: {
      format: 'avro-confluent',
      schemaRegistry: { url: `http://127.0.0.1:${port}` },
      fields: {},
    },
    leaderboards: [{ name: 'players', type: 'TopPlayers', ...board }],
    ...others,
  };
}

/** Runs the program as its Deployment has it, with the account of its pod. */
async function startProgram(): Promise<void> {
  const { spec } = await arcade.get<Deployment>('deployment', 'arcade-schema');
  const { command, env } = spec.template.spec.containers[0];
  program = spawn(process.execPath, command.slice(1), {
    env: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
      PORT: '0',
      KUBERNETES_API_SERVER: plane.kubeConfig().getCurrentCluster()?.server,
      KUBERNETES_ACCOUNT: await plane.mountedServiceAccount(arcade.namespace, 'arcade-schema'),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const ofSchema = async () =>
  [...(await arcade.children()).keys()].filter((id) => id.endsWith('arcade-schema'));
const job = () =>
  arcade.get<FlinkDeployment & { metadata: { generation: number } }>('flinkdeployment', 'arcade-job');
const reading = { status: 'False', reason: 'Progressing' } as const;

describe('a resource that leaves its columns to a schema registry', () => {
  it('waits, with nothing but what reads the schema and the topic of the events', async () => {
    await arcade.apply(spec({ by: 'country' }));
    const { message } = await arcade.until('SchemaReady', reading);
    expect(message).toBe(`events.columns is not set: the newest schema of ${SUBJECT} is being read.`);
    await arcade.until('Ready', { status: 'False', message: `SchemaReady: ${message}` });
    await arcade.until('JobRunning', { status: 'Unknown', reason: 'WaitingForDependency' });
    expect([...(await arcade.children()).keys()]).toEqual([
      'KafkaTopic arcade-user-score',
      'Deployment arcade-schema',
      'ServiceAccount arcade-schema',
      'RoleBinding arcade-schema',
      'NetworkPolicy arcade-schema',
    ]);
  });

  it('hears why there are none, and is made of those that it uses once they are there', async () => {
    await startProgram();
    const missing = { status: 'False', reason: 'SchemaMissing' } as const;
    expect((await arcade.until('SchemaReady', missing)).message).toMatch(
      `events.columns is not set: waiting for a schema of the subject ${SUBJECT} in the schema registry http:`,
    );
    versions = [GAME];
    const without = `events.columns is not set: ${SUBJECT} version 1: it has no field country (by of players)`;
    await arcade.until('SchemaReady', { ...missing, message: without });
    versions.push([...GAME, field('country', ['null', 'string']), field('playlist', 'string')]);
    await arcade.ready();
    const columns = 'user_id STRING, score BIGINT, event_time_millis BIGINT, country STRING';
    const found = `The columns of ${SUBJECT} version 2: ${columns}.`;
    await arcade.until('SchemaReady', { status: 'True', reason: 'Available', message: found });
    expect((await arcade.status()).schema).toMatchObject({ subject: SUBJECT, version: 2 });
    const script = (await job()).spec.job.args.join();
    expect(script).toContain('country');
    expect(script).not.toContain('playlist');
    expect(await ofSchema()).toEqual([]);
    expect(await arcade.events()).toEqual(['SchemaMissing', 'Ready']);
  });

  it('stays as it is when the schema changes, and when the spec does without using more of it', async () => {
    const before = await job();
    versions.push([...GAME, field('country', 'int')]);
    await arcade.apply(spec({ by: 'country', title: 'Countries' }, { dashboard: { title: 'Games' } }));
    await arcade.ready();
    expect((await job()).spec).toEqual(before.spec);
    expect((await arcade.status()).schema).toMatchObject({ version: 2 });
  });

  it('keeps what runs while the schema is read for a spec that uses more of it', async () => {
    const before = await job();
    const children = (await arcade.children()).keys();
    await arcade.apply(spec({ by: 'country', where: "playlist = 'ranked'" }));
    await arcade.until('SchemaReady', reading);
    expect((await job()).metadata.generation).toBe(before.metadata.generation);
    expect([...(await arcade.children()).keys()]).toEqual(expect.arrayContaining([...children]));
    versions.push([...GAME, field('country', 'string'), field('playlist', 'string')]);
    await startProgram();
    await arcade.ready();
    expect((await job()).spec.job.args.join()).toContain('playlist');
    expect((await arcade.status()).schema).toMatchObject({ version: 4 });
    expect(await ofSchema()).toEqual([]);
  });

  it('waits while a column cannot be what it is used for, and keeps what runs', async () => {
    const before = await job();
    versions.push([...GAME, field('ratio', 'double')]);
    await arcade.apply(spec({ by: 'ratio' }));
    await arcade.until('SchemaReady', reading);
    await startProgram();
    const { message } = await arcade.until('SchemaReady', { status: 'False', reason: 'SchemaMissing' });
    expect(message).toMatch(/ version 5: its field ratio \(by of players\) is DOUBLE/);
    expect((await job()).metadata.generation).toBe(before.metadata.generation);
    versions.push([...GAME, field('ratio', 'string')]);
    await arcade.ready();
    expect((await job()).spec.job.args.join()).toContain('ratio');
  });

  it('needs none when it names them', async () => {
    const { events, ...others } = spec({ by: 'country' });
    const columns = ['user_id', 'score', 'event_time_millis', 'country'].map((name) => ({
      name,
      type: 'STRING',
    }));
    await arcade.apply({ ...others, events: { ...(events as object), columns } });
    await arcade.ready();
    await arcade.until('SchemaReady', { status: 'True', reason: 'Disabled' });
    expect(await ofSchema()).toEqual([]);
  });
});

describe('the rights of the program', () => {
  it('are all used', async () => {
    const role = (await renderChart(plane, { namespace: arcade.namespace })).filter(
      ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'gameanalytics-schema',
    );
    const user = `system:serviceaccount:${arcade.namespace}:arcade-schema`;
    const unused = async () => {
      const requests = (await plane.auditEvents()).filter((event) => event.user.username === user);
      const used = new Set(requests.flatMap(permissionsUsed));
      return permissionsOf(role).filter((permission) => !used.has(permission));
    };
    expect(permissionsOf(role)).toHaveLength(2);
    await expect.poll(unused, { timeout: 5_000 }).toEqual([]);
  });
});
