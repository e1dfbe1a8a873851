import { describe, expect, it } from 'vitest';
import { API_VERSION, KIND } from '../../../../api/gameanalytics.ts';
import type { Status } from '../../../../api/status.ts';
import type { ClusterCache } from '../../../../operator/controller/observe.ts';
import { reconcile } from '../../../../operator/controller/reconcile.ts';
import type { KubeClient } from '../../../../operator/kube/client.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import type { KafkaUser, KubernetesObject } from '../../../../plan/objects.ts';
import { live } from './live.ts';

const STRIMZI_READY = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const RUNNING = { observedGeneration: 1, lifecycleState: 'STABLE', jobStatus: { state: 'RUNNING' } };

const KAFKA = {
  kind: 'Kafka',
  metadata: { name: 'games' },
  spec: { kafka: { listeners: [{ name: 'tls', tls: true, authentication: { type: 'tls' } }] } },
  status: {
    listeners: ['plain', 'tls'].map((name) => ({ name, bootstrapServers: `${name}:9092` })),
    conditions: [{ type: 'Ready', status: 'True' }],
  },
} as unknown as LiveObject;

/** A namespace with one resource, as its cache shows it, and the writes to it in their order. */
class Arcade {
  readonly writes: string[] = [];
  readonly events: string[] = [];
  readonly #objects = new Map<string, LiveObject>();
  #version = 1;
  /** The status of the job in the answer to a write of it. */
  jobAnswer: object | undefined;

  constructor(spec: Record<string, unknown>) {
    this.change(spec);
  }

  change(spec: Record<string, unknown>): void {
    const before = this.#objects.get(`${KIND} arcade`);
    this.#put({
      ...live(KIND, { spec: { kafka: { cluster: 'games' }, ...spec } }, { name: 'arcade' }),
      apiVersion: API_VERSION,
      ...(before && { status: before.status }),
    });
  }

  get(kind: string, name: string): LiveObject | undefined {
    return this.#objects.get(`${kind} ${name}`);
  }

  names(kind: string): string[] {
    return this.#children().flatMap((object) => (object.kind === kind ? [object.metadata.name] : []));
  }

  /** Answers to all that was applied, as the other operators do. */
  settle(jobStatus: object = RUNNING): void {
    for (const object of this.#children()) {
      const { generation } = object.metadata;
      const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number };
      const rolledOut = { replicas, updatedReplicas: replicas, availableReplicas: replicas };
      const statuses: Record<string, object> = { FlinkDeployment: jobStatus, Deployment: rolledOut };
      const status = statuses[object.kind] ?? STRIMZI_READY;
      this.#put({ ...object, status: { ...status, observedGeneration: generation } });
    }
  }

  async reconcile(): Promise<number | undefined> {
    const parts = {
      client: this.#client(),
      cache: this.#cache(),
      recorder: async (_: LiveObject, { reason }: { reason: string }) => {
        this.events.push(reason);
      },
      environment: { appImage: 'app', flinkImage: 'flink' },
      allowedFlinkImages: undefined,
      upgradeTimeoutMillis: 1_000,
      now: () => new Date(0),
    };
    return (await reconcile(parts, 'arcades/arcade', new AbortController().signal))?.requeueAfterMillis;
  }

  condition(type: string): string {
    const { conditions = [] } = (this.get(KIND, 'arcade')?.status ?? {}) as Status;
    const condition = conditions.find((other) => other.type === type);
    return `${condition?.status} ${condition?.reason}`;
  }

  #children(): LiveObject[] {
    return [...this.#objects.values()].filter(({ kind }) => kind !== KIND);
  }

  #put(object: LiveObject): void {
    this.#objects.set(`${object.kind} ${object.metadata.name}`, object);
  }

  #cache(): ClusterCache {
    return {
      resource: () => this.get(KIND, 'arcade'),
      kafka: () => KAFKA,
      children: () => this.#children(),
      pods: () => [],
      serves: () => true,
      put: (object) => this.#put(object),
      remove: ({ kind, metadata }) => this.#objects.delete(`${kind} ${metadata.name}`),
    };
  }

  #client(): KubeClient {
    const id = ({ kind, metadata }: { kind: string; metadata: { name: string } }) =>
      `${kind} ${metadata.name}`;
    return {
      get: async (kind: { kind: string }, _: string, name: string) => this.get(kind.kind, name),
      apply: async (object: KubernetesObject, { subresource }: { subresource?: string }) => {
        const before = this.#objects.get(id(object));
        if (subresource) return { ...before, status: object.status };
        this.writes.push(`apply ${id(object)}`);
        const generation = (before?.metadata.generation ?? 0) + 1;
        const metadata = { uid: id(object), resourceVersion: `${++this.#version}`, generation };
        const status = (object.kind === 'FlinkDeployment' && this.jobAnswer) || before?.status;
        return { ...object, metadata: { ...object.metadata, ...metadata }, status };
      },
      delete: async (object: LiveObject) => {
        this.writes.push(`delete ${id(object)}`);
      },
    } as unknown as KubeClient;
  }
}

const BOARDS = ['teams', 'players'].map((name) => ({ name, type: 'TopTeams' }));
const SIGNED_IN = {
  kafka: { cluster: 'games', listener: 'tls', authentication: { type: 'tls' } },
  leaderboards: BOARDS,
};

/** One that runs. */
async function running(spec: Record<string, unknown>): Promise<Arcade> {
  const arcade = new Arcade(spec);
  for (let i = 0; i < 4; i++) {
    await arcade.reconcile();
    arcade.settle();
  }
  await arcade.reconcile();
  arcade.writes.length = 0;
  arcade.events.length = 0;
  return arcade;
}

describe('a resource whose pipeline is not there yet', () => {
  it('gets its topics first, then its users, and its job last, each once the one before is ready', async () => {
    const arcade = new Arcade(SIGNED_IN);
    await arcade.reconcile();
    expect(arcade.names('KafkaTopic')).toContain('arcade-teams');
    expect(arcade.names('KafkaUser')).toEqual([]);
    expect(arcade.condition('UsersReady')).toMatch(/^False/);
    arcade.settle();
    await arcade.reconcile();
    expect(arcade.names('KafkaUser')).toContain('arcade-flink-kafka');
    expect(arcade.names('FlinkDeployment')).toEqual([]);
    arcade.settle();
    await arcade.reconcile();
    expect(arcade.names('FlinkDeployment')).toEqual(['arcade-job']);
    arcade.settle();
    await arcade.reconcile();
    expect(arcade.condition('JobRunning')).toBe('True Running');
    expect(arcade.names('ControllerRevision')).toHaveLength(1);
  });
});

describe('a resource whose pipeline runs', () => {
  it('is ready, and nothing is written again', async () => {
    const arcade = await running(SIGNED_IN);
    expect(await arcade.reconcile()).toBeUndefined();
    expect(arcade.writes).toEqual([]);
    expect(arcade.condition('UsersReady')).toBe('True Available');
    expect(arcade.condition('Ready')).toBe('True Ready');
  });

  it('keeps what a board needs that is removed until the job is replaced', async () => {
    const arcade = await running(SIGNED_IN);
    arcade.change({ ...SIGNED_IN, leaderboards: BOARDS.slice(0, 1) });
    await arcade.reconcile();
    expect(arcade.writes.filter((write) => /Topic|User/.test(write))).toEqual([]);
    expect(written(arcade)).toContain('arcade-players');

    arcade.writes.length = 0;
    arcade.settle();
    await arcade.reconcile();
    expect(written(arcade)).not.toContain('arcade-players');
    expect(arcade.writes).toContain('delete KafkaTopic arcade-players');
    expect(arcade.events).toContain('Deleted');
    // Strimzi has yet to answer to the users whose rights were taken.
    expect(arcade.condition('UsersReady')).toMatch(/^False/);
    expect(arcade.condition('JobRunning')).toBe('True Running');

    arcade.settle();
    await arcade.reconcile();
    expect(arcade.condition('Ready')).toBe('True Ready');
  });

  it('is left alone while it is paused', async () => {
    const arcade = await running(SIGNED_IN);
    arcade.change({ ...SIGNED_IN, leaderboards: BOARDS.slice(0, 1), paused: true });
    await arcade.reconcile();
    expect(arcade.writes).toEqual([]);
    expect(arcade.condition('Ready')).toBe('False Paused');
    expect(arcade.condition('JobRunning')).toBe('True Running');
  });
});

/** The topics that the job may write. */
function written(arcade: Arcade): string[] {
  const user = arcade.get('KafkaUser', 'arcade-flink-kafka') as KafkaUser | undefined;
  return (user?.spec.authorization.acls ?? [])
    .filter(({ operations }) => operations.includes('Write'))
    .map((acl) => acl.resource.name);
}

it.each([
  ['at once', 'RUNNING', 0],
  ['when its time is up', 'CREATED', 1_000],
])(
  'looks again %s when the answer to a write of the job has it %s, which no watch tells',
  async (_, state, millis) => {
    const arcade = await running({ leaderboards: BOARDS });
    arcade.settle({ lifecycleState: 'DEPLOYED', jobStatus: { state: 'CREATED' } });
    arcade.change({ leaderboards: BOARDS, flink: { parallelism: 2 } });
    const job = arcade.get('FlinkDeployment', 'arcade-job');
    arcade.jobAnswer = { ...(job?.status as object), jobStatus: { state } };
    expect(await arcade.reconcile()).toBe(millis);
  },
);
