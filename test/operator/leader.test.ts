import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { until } from '../../local/process/retry.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { LEASE } from '../../operator/kube/kinds.ts';
import { LeaderElection, NotLeaderError } from '../../operator/leader/election.ts';
import { leaseSpec } from '../../operator/leader/lease.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';

const controlPlane = connectedControlPlane();
const admin = new KubeClient(controlPlane.kubeConfig());
let namespace: string;
let processes: Process[];

beforeEach(async () => {
  namespace = await controlPlane.newNamespace();
  processes = [];
});

afterEach(async () => {
  for (const process of processes) await process.end();
});

afterAll(() => admin.close());

/** A process that takes part, with a client of its own. Everything is five times as fast as in production. */
class Process {
  readonly told: string[] = [];
  readonly client: KubeClient;
  readonly election: LeaderElection;
  #dead = false;

  constructor(identity: string) {
    this.client = new KubeClient(controlPlane.kubeConfig(), { timeoutMillis: 1_000 });
    this.election = new LeaderElection({
      client: {
        get: (...args) => this.#reach().get(...args),
        create: (...args) => this.#reach().create(...args),
        replace: (...args) => this.#reach().replace(...args),
      },
      namespace,
      name: 'operator',
      identity,
      log: pino({ enabled: false }),
      onLeading: () => this.told.push('leading'),
      onLost: () => this.told.push('lost'),
      timing: { leaseMillis: 3_000, renewDeadlineMillis: 2_000, renewMillis: 400, retryMillis: 200 },
    });
    this.election.start();
    processes.push(this);
  }

  get writes(): boolean {
    try {
      this.election.mayWrite();
      return true;
    } catch (error) {
      if (error instanceof NotLeaderError) return false;
      throw error;
    }
  }

  /** From now on nothing it sends arrives anywhere. */
  cutOff(): void {
    this.#dead = true;
  }

  async end(): Promise<void> {
    await this.election.release();
    await this.client.close();
  }

  #reach(): KubeClient {
    return this.#dead ? nowhere : this.client;
  }
}

const nowhere = new KubeClient(await deadEnd(), { timeoutMillis: 1_000 });

/** A kubeconfig of a server that does not exist. */
async function deadEnd(): Promise<KubeConfig> {
  const config = new KubeConfig();
  const server = `https://${LOOPBACK}:${await freePort()}`;
  config.loadFromClusterAndUser({ name: 'nowhere', server, skipTLSVerify: true }, { name: 'nobody' });
  return config;
}

/** Waits until something holds, at most 10 s. Returns how long it took. */
async function timeUntil(holds: () => boolean): Promise<number> {
  const started = performance.now();
  await until(async () => holds() || undefined, { everyMillis: 5, signal: AbortSignal.timeout(10_000) });
  return performance.now() - started;
}

async function leaderAndStandby() {
  const leader = new Process('a');
  await timeUntil(() => leader.writes);
  const standby = new Process('b');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { leader, standby };
}

const leaseNow = async () => {
  const lease = await admin.get(LEASE, namespace, 'operator');
  return lease && leaseSpec(lease);
};

describe('two elections on a real API server', () => {
  it('have one leader, who keeps renewing a Lease that kubectl can read', async () => {
    const { leader, standby } = await leaderAndStandby();
    expect([leader.writes, standby.writes]).toEqual([true, false]);
    const before = await leaseNow();
    expect(before).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const after = await leaseNow();
    expect(after?.renewTime).not.toBe(before?.renewTime);
    expect(after?.acquireTime).toBe(before?.acquireTime);
    expect(await controlPlane.kubectl('get', 'lease', 'operator', '-n', namespace)).toMatch(/operator +a /);
  });

  it('change places at once when the leader releases the Lease', async () => {
    const { leader, standby } = await leaderAndStandby();
    await leader.election.release();
    expect(leader.writes).toBe(false);
    // It looks five times a second.
    expect(await timeUntil(() => standby.writes)).toBeLessThan(1_500);
    expect(await leaseNow()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(leader.told).toEqual(['leading']);
  });

  it('never write both when the leader loses its connection: it stops before the standby begins', async () => {
    const { leader, standby } = await leaderAndStandby();
    leader.cutOff();
    const stopped = timeUntil(() => !leader.writes);
    const taken = timeUntil(() => {
      expect(leader.writes && standby.writes).toBe(false);
      return standby.writes;
    });
    expect(await stopped).toBeLessThan(2_400);
    expect(await taken).toBeGreaterThan((await stopped) + 500);
    expect(await taken).toBeLessThan(4_500);
    expect(leader.told).toEqual(['leading', 'lost']);
  });

  it('notice a Lease that was taken from its holder', async () => {
    const { leader } = await leaderAndStandby();
    const steal = '{"spec":{"holderIdentity":"thief"}}';
    await controlPlane.kubectl('patch', 'lease', 'operator', '--type=merge', '-p', steal, '-n', namespace);
    await timeUntil(() => leader.told.includes('lost'));
    expect(leader.writes).toBe(false);
  });
});
