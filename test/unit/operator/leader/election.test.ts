import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ElectionOptions,
  LeaderElection,
  NotLeaderError,
} from '../../../../operator/leader/election.ts';
import { FakeClock, LeaseEndpoint, type Reach } from './fakes.ts';

let clock: FakeClock;
let endpoint: LeaseEndpoint;
let started: LeaderElection[];

beforeEach(() => {
  clock = new FakeClock();
  endpoint = new LeaseEndpoint();
  started = [];
});

afterEach(async () => {
  for (const election of started) await election.release();
});

/** A process that takes part, as it sees itself. */
class Process {
  reach: Reach = 'well';
  readonly told: string[] = [];
  readonly election: LeaderElection;

  constructor(identity: string, options: Partial<ElectionOptions> = {}) {
    this.election = new LeaderElection({
      client: endpoint.client(() => this.reach),
      namespace: 'games',
      name: 'operator',
      identity,
      clock,
      log: pino({ enabled: false }),
      onLeading: () => this.told.push('leading'),
      onLost: () => this.told.push('lost'),
      ...options,
    });
    started.push(this.election);
    this.election.start();
  }

  get writes(): boolean {
    try {
      this.election.mayWrite();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(NotLeaderError);
      return false;
    }
  }
}

/** A leader, and a standby that has seen it. */
async function leaderAndStandby() {
  const leader = new Process('a');
  await clock.pass(500);
  const standby = new Process('b');
  await clock.pass(10_000);
  return { leader, standby };
}

/**
 * Lets time pass step by step until the process leads. Returns how long it took, and fails when two may ever
 * write at once.
 */
async function untilLeading(next: Process, former: Process): Promise<number> {
  for (let passed = 0; passed < 60_000; passed += 50) {
    expect(former.writes && next.writes).toBe(false);
    if (next.election.leading) return passed;
    await clock.pass(50);
  }
  throw new Error('it never leads');
}

describe('an election', () => {
  it('makes the first who asks the leader, and writes a Lease that others can read', async () => {
    const only = new Process('a');
    expect(only.writes).toBe(false);
    await clock.pass(1);
    expect(only.told).toEqual(['leading']);
    expect([only.election.leading, only.writes]).toEqual([true, true]);
    expect(endpoint.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('keeps the leader, which renews every two seconds', async () => {
    const { leader, standby } = await leaderAndStandby();
    await clock.pass(600_000);
    expect(leader.told).toEqual(['leading']);
    expect(standby.told).toEqual([]);
    expect([leader.writes, standby.writes]).toEqual([true, false]);
    expect(endpoint.writes).toBeGreaterThan(300);
    expect(endpoint.writes).toBeLessThan(310);
    expect(endpoint.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  it('never makes two processes leaders that start at once', async () => {
    const processes = ['a', 'b', 'c'].map((identity) => new Process(identity));
    await clock.pass(60_000);
    expect(processes.filter(({ writes }) => writes)).toHaveLength(1);
  });

  it('gives the Lease to a standby within 3 s after its release', async () => {
    const { leader, standby } = await leaderAndStandby();
    await leader.election.release();
    expect(endpoint.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(await untilLeading(standby, leader)).toBeLessThanOrEqual(1_000);
    expect(leader.told).toEqual(['leading']);
    expect(endpoint.spec).toMatchObject({
      holderIdentity: 'b',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
    });
  });

  it('gives the Lease to a standby within 17 s after the leader died, whenever that was', async () => {
    for (const moment of [0, 700, 1_300, 1_999]) {
      clock = new FakeClock();
      endpoint = new LeaseEndpoint();
      const { leader, standby } = await leaderAndStandby();
      await clock.pass(moment);
      leader.reach = 'cut';
      const took = await untilLeading(standby, leader);
      expect(took).toBeGreaterThan(12_000);
      expect(took).toBeLessThan(16_100);
    }
  });

  it('gives the Lease away at the very moment it runs out, not when a standby happens to look next', async () => {
    const leader = new Process('a');
    await clock.pass(500);
    const standby = new Process('b', { timing: { retryMillis: 4_000 } });
    await clock.pass(1);
    leader.reach = 'cut';
    await untilLeading(standby, leader);
    expect(endpoint.spec.acquireTime).toBe('2026-01-01T00:00:15.500000Z');
  });
});

describe('a leader', () => {
  it('that cannot renew stops writing after 10 s, long before a standby leads', async () => {
    const { leader, standby } = await leaderAndStandby();
    leader.reach = 'cut';
    await clock.pass(10_001);
    expect(leader.told).toEqual(['leading', 'lost']);
    expect([leader.election.leading, leader.writes, standby.writes]).toEqual([false, false, false]);
    await untilLeading(standby, leader);
  });

  it('that was stopped may not write from the first moment on, though it has not yet found out', async () => {
    const { leader } = await leaderAndStandby();
    clock.freeze(20_000);
    expect([leader.election.leading, leader.writes]).toEqual([true, false]);
    await clock.pass(5_000);
    expect(leader.told).toEqual(['leading', 'lost']);
    expect(endpoint.spec.holderIdentity).not.toBe('a');
  });

  it('survives some seconds without the API server', async () => {
    const { leader, standby } = await leaderAndStandby();
    leader.reach = standby.reach = 'cut';
    await clock.pass(7_000);
    leader.reach = standby.reach = 'well';
    await clock.pass(30_000);
    expect(leader.told).toEqual(['leading']);
    expect(leader.writes).toBe(true);
  });

  it('knows its own renewal whose answer was lost', async () => {
    const { leader } = await leaderAndStandby();
    leader.reach = 'unanswered';
    await clock.pass(3_000);
    leader.reach = 'well';
    await clock.pass(30_000);
    expect(leader.told).toEqual(['leading']);
    expect(leader.writes).toBe(true);
  });

  it('does not mind when someone labels its Lease', async () => {
    const { leader } = await leaderAndStandby();
    endpoint.write({});
    await clock.pass(5_000);
    expect(leader.told).toEqual(['leading']);
  });

  it('makes its Lease again when someone deleted it, while the standby waits', async () => {
    const { leader, standby } = await leaderAndStandby();
    endpoint.lease = undefined;
    for (let step = 0; step < 400; step++) {
      await clock.pass(50);
      expect(leader.writes && !standby.writes).toBe(true);
    }
    expect(endpoint.spec.holderIdentity).toBe('a');
  });

  it('whose Lease another took has lost it', async () => {
    const { leader } = await leaderAndStandby();
    endpoint.write({ holderIdentity: 'thief' });
    await clock.pass(2_100);
    expect(leader.told).toEqual(['leading', 'lost']);
    expect(leader.writes).toBe(false);
    await leader.election.release();
    expect(endpoint.spec.holderIdentity).toBe('thief');
  });

  it('stays one when its callback throws', async () => {
    const leader = new Process('a', {
      onLeading: () => {
        throw new Error('our mistake');
      },
    });
    await clock.pass(20_000);
    expect(leader.writes).toBe(true);
  });
});

describe('a standby', () => {
  it('finds out that it leads though the answer was lost', async () => {
    const only = new Process('a');
    only.reach = 'unanswered';
    await clock.pass(1);
    expect([endpoint.spec.holderIdentity, only.writes]).toEqual(['a', false]);
    only.reach = 'well';
    await clock.pass(2_000);
    expect(only.writes).toBe(true);
  });

  it('waits for the Lease of an earlier process with its own identity, which may still write', async () => {
    const { leader } = await leaderAndStandby();
    const namesake = new Process('a');
    await clock.pass(60_000);
    expect([leader.writes, namesake.writes]).toEqual([true, false]);
  });

  it('trusts the duration that the holder wrote, not its own', async () => {
    const { leader, standby } = await leaderAndStandby();
    endpoint.write({ holderIdentity: 'slow', leaseDurationSeconds: 40 });
    expect(await untilLeading(standby, leader)).toBeGreaterThan(39_000);
  });

  it('takes nothing from the times in the Lease, whose clock may be wrong', async () => {
    const { leader, standby } = await leaderAndStandby();
    endpoint.write({ holderIdentity: 'late', renewTime: '1999-01-01T00:00:00.000000Z' });
    expect(await untilLeading(standby, leader)).toBeGreaterThan(14_000);
  });
});

describe('a release', () => {
  it('forbids writing at once, before the Lease is given up', async () => {
    const { leader } = await leaderAndStandby();
    const released = leader.election.release();
    expect([leader.writes, endpoint.spec.holderIdentity]).toEqual([false, 'a']);
    await released;
    expect(endpoint.spec.holderIdentity).toBe('');
  });

  it('gives up a Lease whose last renewal was not answered', async () => {
    const { leader } = await leaderAndStandby();
    leader.reach = 'unanswered';
    await clock.pass(2_000);
    leader.reach = 'well';
    await leader.election.release();
    expect(endpoint.spec.holderIdentity).toBe('');
  });

  it('does not fail, and can run twice, when the API server is away', async () => {
    const { leader } = await leaderAndStandby();
    leader.reach = 'cut';
    await Promise.all([leader.election.release(), leader.election.release()]);
    expect(leader.told).toEqual(['leading']);
    expect(leader.writes).toBe(false);
  });

  it('of a standby leaves the Lease alone', async () => {
    const { leader, standby } = await leaderAndStandby();
    await standby.election.release();
    await clock.pass(60_000);
    expect([leader.writes, standby.told]).toEqual([true, []]);
  });
});
