import type { Logger } from 'pino';
import { resourceLog } from '../log.ts';
import { Delays } from './delays.ts';
import { Keys } from './keys.ts';
import type { Outcome, QueueMetrics, ReconcileMetrics } from './metrics.ts';
import { PerKeyRateLimiter } from './per-key-rate-limiter.ts';

/** What a run asks for: to be run again after this time, or (undefined) only when something changes. */
export type Result = { requeueAfterMillis?: number | undefined } | undefined;

/**
 * Trying again cannot fix this, only a change can; the message says which. The key is not run again until it
 * is added.
 */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

interface WorkQueueOptions {
  /** How many keys are worked on at a time. */
  workers: number;
  /**
   * One run: reconciles the key's resource. It must end soon after its signal is aborted.
   */
  process: (key: string, signal: AbortSignal) => Promise<Result>;
  log: Logger;
  metrics: { readonly queue: QueueMetrics; readonly reconcile: ReconcileMetrics };
  /**
   * Errors of the world around us, which pass: warnings. Any other is our mistake and logged with its stack.
   */
  isTransient?: (error: unknown) => boolean;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/**
 * Says which resource to reconcile next; controller-runtime's contract. It holds keys (`namespace/name`), not
 * objects or changes: a run looks at the whole resource as it is when the run starts, and so answers
 * everything that was asked before.
 *
 * Therefore a key has one place at most: due now, or due later at the earliest time that was asked for. A
 * caller that adds it is served by a run that starts after that. One key is never in two runs at a time. A
 * run that fails is tried again, later each time.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #keys = new Keys();
  readonly #delays: Delays;
  readonly #rateLimiter: PerKeyRateLimiter;
  readonly #now: () => number;
  readonly #runs = new Map<Promise<void>, AbortController>();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #turn: NodeJS.Immediate | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#delays = new Delays(this.#now, (key) => this.add(key));
    this.#rateLimiter = new PerKeyRateLimiter(this.#now);
    options.metrics.reconcile.workers(options.workers);
  }

  /** Whether no key is due or in a run. Some may be due later. */
  get idle(): boolean {
    return this.#keys.size === 0;
  }

  /** Wants a run of the key that starts after now. */
  add(key: string): void {
    if (this.#state === 'stopped') return;
    this.#delays.cancel(key);
    if (this.#keys.isDue(key)) return;
    this.#keys.add(key);
    this.#options.metrics.queue.added(key);
    this.#awaitTurn();
  }

  /** Wants a run of the key after this time, or earlier when something else wants one earlier. */
  addAfter(key: string, millis: number): void {
    // A timer would take it for 1 ms: a mistake in someone's arithmetic would be a hot loop.
    if (Number.isNaN(millis)) throw new RangeError('the time to wait is not a number');
    if (this.#state === 'stopped') return;
    this.#options.metrics.queue.retried();
    if (millis <= 0) this.add(key);
    else if (!this.#keys.isDue(key)) this.#delays.set(key, millis);
  }

  /** Starts runs. What was added before has waited. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    this.#awaitTurn();
  }

  /**
   * Starts no more runs and resolves when those under way have ended; after the grace their signals abort
   * them.
   */
  async stop(graceMillis: number): Promise<void> {
    this.#state = 'stopped';
    clearImmediate(this.#turn);
    this.#delays.clear();
    const grace = setTimeout(() => {
      for (const run of this.#runs.values()) run.abort();
    }, graceMillis);
    await Promise.all(this.#runs.keys());
    clearTimeout(grace);
  }

  #awaitTurn(): void {
    if (this.#state !== 'started' || this.#turn) return;
    // Every run starts in a turn of the event loop of its own. A run that finds nothing to do ends without
    // waiting for anything: a thousand of them in one turn would keep the Lease's renewal waiting. And a
    // caller that adds a key can finish its own work first.
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#startRun();
    });
  }

  #startRun(): void {
    if (this.#runs.size >= this.#options.workers) return;
    const key = this.#keys.take();
    if (key === undefined) return;
    const abort = new AbortController();
    const run = this.#run(key, abort.signal).finally(() => {
      this.#runs.delete(run);
      this.#awaitTurn();
    });
    this.#runs.set(run, abort);
    this.#awaitTurn();
  }

  async #run(key: string, signal: AbortSignal): Promise<void> {
    const { queue, reconcile } = this.#options.metrics;
    const began = this.#now();
    queue.started(key);
    const outcome = await this.#attempt(key, signal);
    reconcile.observe(outcome, (this.#now() - began) / 1000);
    queue.finished(key);
    this.#keys.done(key);
  }

  async #attempt(key: string, signal: AbortSignal): Promise<Outcome> {
    try {
      const result = await this.#options.process(key, signal);
      this.#rateLimiter.forget(key);
      if (result?.requeueAfterMillis === undefined) return 'success';
      this.addAfter(key, result.requeueAfterMillis);
      return 'requeue_after';
    } catch (error) {
      this.#fail(key, error);
      return 'error';
    }
  }

  #fail(key: string, error: unknown): void {
    const { log, metrics, isTransient } = this.#options;
    const logOfKey = resourceLog(log, key);
    const reason = error instanceof Error ? error.message : String(error);
    metrics.reconcile.error();
    if (error instanceof TerminalError) {
      metrics.reconcile.terminalError();
      this.#rateLimiter.forget(key);
      logOfKey.error(`the resource must change before it can be reconciled: ${reason}`);
    } else if (this.#state === 'stopped') {
      logOfKey.info(`stopping; the next start continues with it: ${reason}`);
    } else {
      const retryMillis = Math.round(this.#rateLimiter.next(key));
      this.addAfter(key, retryMillis);
      const text = `trying again in ${retryMillis / 1000} s: ${reason}`;
      if (isTransient?.(error)) logOfKey.warn({ retryMillis }, text);
      else logOfKey.error({ err: error, retryMillis }, text);
    }
  }
}
