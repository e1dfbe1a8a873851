import { setImmediate } from 'node:timers/promises';
import { ApiError, ConnectionError } from '../../../../operator/kube/errors.ts';
import type { LiveObject, Manifest } from '../../../../operator/kube/object.ts';
import type { Clock } from '../../../../operator/leader/clock.ts';
import type { ElectionOptions } from '../../../../operator/leader/election.ts';
import { type LeaseSpec, leaseSpec } from '../../../../operator/leader/lease.ts';

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#now);
  }

  sleep(millis: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { until: this.#now + millis, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', () => resolve());
      if (signal.aborted) resolve();
    });
  }

  /** Lets time pass, and everyone do at its moment what he waits for. */
  async pass(millis: number): Promise<void> {
    const end = this.#now + millis;
    for (;;) {
      await setImmediate();
      const next = [...this.#sleepers].sort((a, b) => a.until - b.until)[0];
      if (!next || next.until > end) break;
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.until);
      next.wake();
    }
    this.#now = end;
  }

  /** Time passes while the process is stopped: nobody does anything. */
  freeze(millis: number): void {
    this.#now += millis;
  }
}

/**
 * How a process reaches the API server: well; not at all; or so that it does what is asked, but the answer is
 * lost.
 */
export type Reach = 'well' | 'cut' | 'unanswered';

type Client = ElectionOptions['client'];

/** The one Lease there is, with the API server's rules about versions. */
export class LeaseEndpoint {
  lease: LiveObject | undefined;
  /** How many writes were done. */
  writes = 0;
  #version = 0;

  get spec(): LeaseSpec {
    return this.lease ? leaseSpec(this.lease) : {};
  }

  client(reach: () => Reach): Client {
    const answer = <T>(work: () => T): Promise<T> => {
      if (reach() === 'cut') return Promise.reject(new ConnectionError('cut'));
      try {
        const result = work();
        if (reach() === 'unanswered') return Promise.reject(new ConnectionError('unanswered'));
        return Promise.resolve(structuredClone(result));
      } catch (error) {
        return Promise.reject(error);
      }
    };
    return {
      get: () => answer(() => this.lease),
      create: (lease) => answer(() => this.#create(lease)),
      replace: (lease) => answer(() => this.#replace(lease)),
    };
  }

  /** Someone else writes it. */
  write(change: LeaseSpec): void {
    if (this.lease) this.#store({ ...this.lease, spec: { ...this.spec, ...change } });
  }

  #create(lease: Manifest): LiveObject {
    if (this.lease) throw new ApiError(409, { reason: 'AlreadyExists' });
    return this.#store(lease);
  }

  #replace(lease: Manifest): LiveObject {
    if (!this.lease) throw new ApiError(404, { reason: 'NotFound' });
    if (lease.metadata.resourceVersion !== this.lease.metadata.resourceVersion)
      throw new ApiError(409, { reason: 'Conflict' });
    return this.#store(lease);
  }

  #store(lease: Manifest): LiveObject {
    this.writes++;
    const metadata = { uid: 'uid', ...lease.metadata, resourceVersion: String(++this.#version) };
    this.lease = structuredClone({ ...lease, metadata });
    return this.lease;
  }
}
