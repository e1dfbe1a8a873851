import type { Logger } from 'pino';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { LEASE } from '../kube/kinds.ts';
import type { LiveObject, Manifest } from '../kube/object.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Candidate, givenUp, leaseSpec, newLease, renewed, takenOver } from './lease.ts';

export interface ElectionOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  /** Where the Lease is. */
  namespace: string;
  name: string;
  /** Who we are: another one in each process, even of one pod. */
  identity: string;
  clock?: Clock;
  log: Logger;
  onLeading: () => void;
  /**
   * The Lease is lost without having been released. Whatever still works as the leader must end, best by the
   * process's end.
   */
  onLost: () => void;
  timing?: Partial<ElectionTiming>;
}

export interface ElectionTiming {
  /** How long a Lease lasts after a renewal; whole seconds. */
  leaseMillis: number;
  /**
   * How long a leader without a renewal may still write. With calls no longer than the rest, none ends after
   * the Lease.
   */
  renewDeadlineMillis: number;
  /** How often a leader renews. */
  renewMillis: number;
  /** How often a standby looks, and a leader tries again. */
  retryMillis: number;
}

const TIMING: ElectionTiming = {
  leaseMillis: 15_000,
  renewDeadlineMillis: 10_000,
  renewMillis: 2_000,
  retryMillis: 1_000,
};

/** A write was about to be made by one who does not lead. */
export class NotLeaderError extends Error {
  override name = 'NotLeaderError';
}

/**
 * Elects one leader among several processes by a Lease, as client-go does.
 *
 * A standby never compares times of two machines: it watches the Lease by its own clock, and takes it when it
 * stood unchanged for as long as it lasts. A leader counts from the moment it sent its last successful
 * renewal, which is before any standby could see it, and stops writing well before the Lease runs out. So
 * there is never more than one that writes.
 */
export class LeaderElection {
  readonly #options: ElectionOptions;
  readonly #timing: ElectionTiming;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #candidate: Candidate;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #released: Promise<void> | undefined;
  #leading = false;
  /** The Lease as it was last seen; undefined when there is none. */
  #lease: LiveObject | undefined;
  /** Until when another may count on it, by what was last seen of it. */
  #takenUntil = Number.NEGATIVE_INFINITY;
  /**
   * The acquireTime that we wrote last. With our identity it tells our own Lease, even where the answer to
   * the write was lost.
   */
  #acquireTime: string | undefined;
  /** When the last successful renewal was sent. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ElectionOptions) {
    const { identity, clock = systemClock, log, timing } = options;
    this.#options = options;
    this.#timing = { ...TIMING, ...timing };
    this.#clock = clock;
    this.#log = log.child({ lease: options.name, identity });
    this.#candidate = { identity, leaseSeconds: Math.ceil(this.#timing.leaseMillis / 1000) };
  }

  get leading(): boolean {
    return this.#leading;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Throws NotLeaderError unless we lead for certain. Asked before each write: it is right even when the
   * process was stopped for a while and has not yet had the time to find out.
   */
  mayWrite(): void {
    if (!this.#leading) throw new NotLeaderError('this process is not the leader');
    if (this.#remainingMillis() <= 0) throw new NotLeaderError('the lease was not renewed in time');
  }

  /**
   * Ends the election, and gives the Lease up when it is ours. To be called when nothing writes any more;
   * never throws.
   */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const waitMillis = this.#leading ? await this.#renew() : await this.#campaign();
      if (waitMillis > 0) await this.#clock.sleep(waitMillis, signal);
    }
  }

  async #campaign(): Promise<number> {
    const { retryMillis, renewMillis } = this.#timing;
    try {
      await this.#look();
      if (this.#runsOutInMillis() <= 0) {
        await this.#take();
        return renewMillis;
      }
    } catch (error) {
      // Another standby was quicker, or the API server is away.
      this.#complain('the lease could not be taken', error, isConflict(error) ? 'debug' : 'warn');
      return retryMillis;
    }
    // A standby is there at the very end of the Lease.
    return Math.min(retryMillis, this.#runsOutInMillis());
  }

  async #look(): Promise<void> {
    const { client, namespace, name } = this.#options;
    const lease = await client.get(LEASE, namespace, name, { signal: this.#limit() });
    const changed = JSON.stringify(lease?.spec) !== JSON.stringify(this.#lease?.spec);
    this.#lease = lease;
    // A Lease that was deleted still counts: its holder may not know yet.
    if (!lease || !changed) return;
    const { holderIdentity, leaseDurationSeconds = this.#candidate.leaseSeconds } = leaseSpec(lease);
    this.#takenUntil = this.#clock.now() + (holderIdentity ? leaseDurationSeconds * 1000 : 0);
  }

  #runsOutInMillis(): number {
    if (this.#lease && this.#isOurs(this.#lease)) return 0;
    return this.#takenUntil - this.#clock.now();
  }

  #isOurs(lease: LiveObject): boolean {
    const { holderIdentity, acquireTime } = leaseSpec(lease);
    // Identity alone would not do: an earlier process may have had the same, and still write.
    return holderIdentity === this.#candidate.identity && acquireTime === this.#acquireTime;
  }

  async #take(): Promise<void> {
    const { namespace, name, onLeading } = this.#options;
    const now = this.#clock.date();
    const wanted = this.#lease
      ? takenOver(this.#lease, this.#candidate, now)
      : newLease(namespace, name, this.#candidate, now);
    this.#acquireTime = leaseSpec(wanted).acquireTime;
    await this.#write(wanted);
    if (this.#stopping.signal.aborted || this.#leading) return;
    this.#leading = true;
    this.#log.info('this process is the leader');
    this.#safely(onLeading);
  }

  async #write(lease: Manifest): Promise<void> {
    const { client } = this.#options;
    // The Lease counts from before it was sent.
    const sentAt = this.#clock.now();
    const options = { lease: true, signal: this.#limit() };
    this.#lease = lease.metadata.resourceVersion
      ? await client.replace(lease, options)
      : await client.create(lease, options);
    this.#renewedAt = sentAt;
  }

  async #renew(): Promise<number> {
    if (this.#remainingMillis() <= 0) return this.#lose('it could not be renewed in time');
    try {
      if (this.#lease) await this.#write(renewed(this.#lease, this.#clock.date()));
      else await this.#take();
      return this.#timing.renewMillis;
    } catch (error) {
      this.#complain('the lease could not be renewed', error);
      // The Lease is not as we left it: our last renewal was done although its answer was lost, it was
      // deleted, or another took it.
      if (isConflict(error) || isNotFound(error)) return this.#lookWhoHasIt();
      return this.#untilRetry();
    }
  }

  async #lookWhoHasIt(): Promise<number> {
    try {
      await this.#look();
    } catch (error) {
      this.#complain('the lease could not be read', error);
      return this.#untilRetry();
    }
    if (this.#lease && !this.#isOurs(this.#lease))
      return this.#lose(`${leaseSpec(this.#lease).holderIdentity || 'nobody'} holds it now`);
    return 0;
  }

  #untilRetry(): number {
    return Math.min(this.#timing.retryMillis, this.#remainingMillis());
  }

  #remainingMillis(): number {
    return this.#renewedAt + this.#timing.renewDeadlineMillis - this.#clock.now();
  }

  #limit(): AbortSignal {
    // Two calls that hang must not use up the time in which the Lease can be renewed.
    return AbortSignal.timeout(this.#timing.renewDeadlineMillis / 2);
  }

  #lose(why: string): number {
    this.#leading = false;
    if (this.#stopping.signal.aborted) return 0;
    this.#stopping.abort();
    this.#log.error(`the lease is lost: ${why}`);
    this.#safely(this.#options.onLost);
    return 0;
  }

  async #release(): Promise<void> {
    this.#leading = false;
    this.#stopping.abort();
    await this.#running;
    try {
      await this.#giveUp();
    } catch (error) {
      this.#log.warn(`the lease could not be given up, so it will run out: ${(error as Error).message}`);
    }
  }

  async #giveUp(): Promise<void> {
    if (!this.#lease || !this.#isOurs(this.#lease)) return;
    try {
      await this.#write(givenUp(this.#lease, this.#clock.date()));
    } catch (error) {
      if (!isConflict(error)) throw error;
      // The answer to our last renewal was lost, so we know an older version.
      await this.#look();
      if (this.#lease && this.#isOurs(this.#lease))
        await this.#write(givenUp(this.#lease, this.#clock.date()));
    }
    this.#log.info('the lease is given up');
  }

  #complain(what: string, error: unknown, level: 'debug' | 'warn' = 'warn'): void {
    // One who stops does not care about what failed on the way.
    if (!this.#stopping.signal.aborted) this.#log[level](`${what}: ${(error as Error).message}`);
  }

  #safely(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#log.error({ err: error }, 'a callback of the election failed');
    }
  }
}
