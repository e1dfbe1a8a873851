import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createQueueMetrics } from '../../../operator/queue/metrics.ts';
import { type Result, TerminalError, WorkQueue } from '../../../operator/queue/work-queue.ts';
import { keptLog, series } from './observed.ts';

const LABELS = '{name="gameanalytics",controller="gameanalytics"}';
const HOUR = 3_600_000;

class Outage extends Error {}

interface Run {
  key: string;
  signal: AbortSignal;
  succeed(result?: Result): void;
  fail(error: Error): void;
}

/** A queue whose runs end when and as the test says. The clock stands still but for pass(). */
function queueOf(workers: number) {
  const registry = new Registry();
  const { log, lines } = keptLog();
  const started: string[] = [];
  const running: Run[] = [];
  const queue = new WorkQueue({
    workers,
    log,
    metrics: createQueueMetrics(registry, () => performance.now()),
    isTransient: (error) => error instanceof Outage,
    process: (key, signal) =>
      new Promise<Result>((resolve, reject) => {
        const run: Run = { key, signal, succeed: end(resolve), fail: end(reject) };
        function end<T>(settle: (value: T) => void) {
          return (value: T) => {
            running.splice(running.indexOf(run), 1);
            settle(value);
          };
        }
        started.push(key);
        running.push(run);
      }),
  });
  const runOf = (key: string): Run => {
    const run = running.find((candidate) => candidate.key === key);
    if (!run) throw new Error(`${key} is not running`);
    return run;
  };
  return { queue, registry, lines, started, running, runOf, metrics: () => series(registry) };
}

/** Lets everything happen that is due within this time. */
async function pass(millis = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(millis);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

beforeEach(() => {
  // The turns of the event loop stay real: a pretended one takes a millisecond.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a key', () => {
  it('waits for the start', async () => {
    const { queue, started } = queueOf(2);
    queue.add('ns/a');
    queue.addAfter('ns/b', 10);
    await pass(100);
    expect(started).toEqual([]);
    queue.start();
    await pass();
    expect(started).toEqual(['ns/a', 'ns/b']);
  });

  it('added many times before its run starts is run once', async () => {
    const { queue, started, runOf } = queueOf(2);
    queue.start();
    for (let i = 0; i < 5; i++) queue.add('ns/a');
    await pass();
    runOf('ns/a').succeed();
    await pass(HOUR);
    expect(started).toEqual(['ns/a']);
    expect(queue.idle).toBe(true);
  });

  it('added many times while it runs is run again, once, after that run has ended', async () => {
    const { queue, started, runOf } = queueOf(4);
    queue.start();
    queue.add('ns/a');
    await pass();
    for (let i = 0; i < 5; i++) queue.add('ns/a');
    await pass(HOUR);
    expect(started).toEqual(['ns/a']);
    runOf('ns/a').succeed();
    await pass();
    expect(started).toEqual(['ns/a', 'ns/a']);
    runOf('ns/a').succeed();
    await pass(HOUR);
    expect(started).toHaveLength(2);
  });

  it('never starts within add(), which may be in the middle of something', () => {
    const { queue, started } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    expect(started).toEqual([]);
  });

  it('waits its turn when all workers are busy, first come, first served', async () => {
    const { queue, started, runOf } = queueOf(2);
    queue.start();
    for (const key of ['ns/a', 'ns/b', 'ns/c', 'ns/d']) queue.add(key);
    await pass();
    expect(started).toEqual(['ns/a', 'ns/b']);
    queue.add('ns/a');
    runOf('ns/a').succeed();
    await pass();
    runOf('ns/c').succeed();
    await pass();
    expect(started).toEqual(['ns/a', 'ns/b', 'ns/c', 'ns/d']);
    runOf('ns/b').succeed();
    await pass();
    expect(started.at(-1)).toBe('ns/a');
  });
});

describe('addAfter', () => {
  it('keeps the earliest time', async () => {
    const { queue, started, runOf } = queueOf(1);
    queue.start();
    queue.addAfter('ns/a', 5000);
    queue.addAfter('ns/a', 1000);
    queue.addAfter('ns/a', 3000);
    await pass(999);
    expect(started).toEqual([]);
    await pass(1);
    expect(started).toEqual(['ns/a']);
    runOf('ns/a').succeed();
    await pass(HOUR);
    expect(started).toHaveLength(1);
  });

  it('is answered by a run that starts before', async () => {
    const { queue, started, runOf } = queueOf(1);
    queue.start();
    queue.addAfter('ns/a', 5000);
    await pass(1000);
    queue.add('ns/a');
    await pass();
    runOf('ns/a').succeed();
    await pass(HOUR);
    expect(started).toHaveLength(1);
  });

  it('is not answered by the run under way', async () => {
    const { queue, started, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    queue.addAfter('ns/a', 1000);
    await pass(2000);
    runOf('ns/a').succeed();
    await pass();
    expect(started).toEqual(['ns/a', 'ns/a']);
  });

  it('waits for as long as it should, though timers go no further than 25 days', async () => {
    const { queue, started } = queueOf(1);
    queue.start();
    queue.addAfter('ns/a', 60 * 24 * HOUR);
    await pass(60 * 24 * HOUR - 1);
    expect(started).toEqual([]);
    await pass(1);
    expect(started).toEqual(['ns/a']);
  });
});

describe('a run that succeeds', () => {
  it('with a time to come back is followed by one after that time', async () => {
    const { queue, started, runOf, metrics } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    runOf('ns/a').succeed({ requeueAfterMillis: 1000 });
    await pass(999);
    expect(started).toHaveLength(1);
    await pass(1);
    expect(started).toHaveLength(2);
    runOf('ns/a').succeed({ requeueAfterMillis: 0 });
    await pass();
    expect(started).toHaveLength(3);
    expect(await metrics()).toMatchObject({
      'controller_runtime_reconcile_total{controller="gameanalytics",result="requeue_after"}': 2,
      [`workqueue_retries_total${LABELS}`]: 2,
    });
  });

  it('makes the next failure the first again', async () => {
    for (const result of [undefined, { requeueAfterMillis: HOUR }]) {
      const { queue, lines, runOf } = queueOf(1);
      queue.start();
      queue.add('ns/a');
      await pass();
      runOf('ns/a').fail(new Outage('gone'));
      await pass(5);
      runOf('ns/a').fail(new Outage('gone'));
      await pass(10);
      runOf('ns/a').succeed(result);
      queue.add('ns/a');
      await pass();
      runOf('ns/a').fail(new Outage('gone'));
      await pass();
      expect(lines.map(({ retryMillis }) => retryMillis)).toEqual([5, 10, 5]);
    }
  });
});

describe('a run that fails', () => {
  it('is tried again, later each time, and the log says of which resource, why and when', async () => {
    const { queue, started, lines, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    for (const wait of [5, 10, 20]) {
      runOf('ns/a').fail(new Outage('no API server'));
      await pass(wait - 1);
      expect(queue.idle).toBe(true);
      await pass(1);
    }
    expect(started).toHaveLength(4);
    expect(lines[2]).toEqual({
      level: 40,
      namespace: 'ns',
      name: 'a',
      retryMillis: 20,
      msg: 'trying again in 0.02 s: no API server',
    });
  });

  it('by our mistake is tried again too, and logged with its stack', async () => {
    const { queue, started, lines, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    runOf('ns/a').fail(new TypeError('x is undefined'));
    await pass(5);
    expect(started).toHaveLength(2);
    expect(lines[0]).toMatchObject({ level: 50, err: { stack: expect.stringContaining('queue.test.ts') } });
  });

  it('is tried again at once when the key was added meanwhile, and only once', async () => {
    const { queue, started, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    queue.add('ns/a');
    runOf('ns/a').fail(new Outage('gone'));
    await pass();
    expect(started).toHaveLength(2);
    runOf('ns/a').succeed();
    await pass(HOUR);
    expect(started).toHaveLength(2);
  });

  it('for good is logged and counted once, and not tried again until someone adds the key', async () => {
    const { queue, started, lines, runOf, metrics } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    runOf('ns/a').fail(new TerminalError('spec.size must be positive'));
    await pass(HOUR);
    expect(started).toHaveLength(1);
    expect(lines).toEqual([
      {
        level: 50,
        namespace: 'ns',
        name: 'a',
        msg: 'the resource must change before it can be reconciled: spec.size must be positive',
      },
    ]);
    expect(await metrics()).toMatchObject({
      'controller_runtime_terminal_reconcile_errors_total{controller="gameanalytics"}': 1,
      'controller_runtime_reconcile_errors_total{controller="gameanalytics"}': 1,
      'controller_runtime_reconcile_total{controller="gameanalytics",result="error"}': 1,
      [`workqueue_retries_total${LABELS}`]: 0,
    });
    queue.add('ns/a');
    await pass();
    expect(started).toHaveLength(2);
  });

  it('by asking for a time that is none waits like any other, instead of running hot', async () => {
    const { queue, started, lines, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    runOf('ns/a').succeed({ requeueAfterMillis: Number.NaN });
    await pass(4);
    expect(started).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 50, retryMillis: 5 });
  });
});

describe('stop', () => {
  it('starts nothing more, leaves no timer, and waits for the runs under way', async () => {
    const { queue, started, runOf } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await pass();
    queue.add('ns/b');
    queue.addAfter('ns/c', HOUR);
    let stopped = false;
    const stop = queue.stop(1000).then(() => {
      stopped = true;
    });
    queue.add('ns/d');
    queue.addAfter('ns/e', 1);
    await pass(500);
    expect(stopped).toBe(false);
    expect(runOf('ns/a').signal.aborted).toBe(false);
    runOf('ns/a').succeed({ requeueAfterMillis: 10 });
    await stop;
    expect(vi.getTimerCount()).toBe(0);
    await pass(HOUR);
    expect(started).toEqual(['ns/a']);
  });

  it('tells runs to end when the grace is over; their failure is no alarm and is not tried again', async () => {
    const { queue, lines, running } = queueOf(2);
    queue.start();
    queue.add('ns/a');
    queue.add('ns/b');
    await pass();
    for (const run of running) {
      run.signal.addEventListener('abort', () => run.fail(new Error('aborted')));
    }
    const stop = queue.stop(1000);
    await pass(999);
    expect(running).toHaveLength(2);
    await pass(1);
    await stop;
    expect(lines.map(({ level }) => level)).toEqual([30, 30]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a queue that never started is immediate, and final', async () => {
    const { queue, started } = queueOf(1);
    queue.add('ns/a');
    await queue.stop(HOUR);
    await queue.stop(HOUR);
    queue.start();
    await pass();
    expect(started).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('comes before a run that was about to start', async () => {
    const { queue, started } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    await queue.stop(HOUR);
    await pass();
    expect(started).toEqual([]);
  });
});

describe('many runs that find nothing to do', () => {
  it('leave the event loop to others between them', async () => {
    vi.useRealTimers();
    let runs = 0;
    const queue = new WorkQueue({
      workers: 4,
      log: keptLog().log,
      metrics: createQueueMetrics(new Registry(), () => performance.now()),
      process: async () => {
        for (const end = performance.now() + 1; performance.now() < end; );
        runs += 1;
        return undefined;
      },
    });
    for (let i = 0; i < 200; i++) queue.add(`ns/${i}`);
    queue.start();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(runs).toBeLessThan(150);
    while (!queue.idle) await nextTurn();
    expect(runs).toBe(200);
  });
});

describe('the metrics', () => {
  it('tell how many keys wait and run, and for how long', async () => {
    const { queue, runOf, metrics } = queueOf(1);
    queue.start();
    queue.add('ns/a');
    queue.add('ns/b');
    await pass();
    await pass(2000);
    queue.add('ns/a');
    queue.add('ns/a');
    expect(await metrics()).toMatchObject({
      [`workqueue_depth${LABELS}`]: 2,
      [`workqueue_adds_total${LABELS}`]: 3,
      [`workqueue_unfinished_work_seconds${LABELS}`]: 2,
      [`workqueue_longest_running_processor_seconds${LABELS}`]: 2,
      'controller_runtime_active_workers{controller="gameanalytics"}': 1,
      'controller_runtime_max_concurrent_reconciles{controller="gameanalytics"}': 1,
    });
    runOf('ns/a').succeed();
    await pass(1000);
    runOf('ns/b').fail(new Outage('gone'));
    await pass();
    runOf('ns/a').succeed();
    await pass();
    expect(await metrics()).toMatchObject({
      [`workqueue_depth${LABELS}`]: 0,
      [`workqueue_retries_total${LABELS}`]: 1,
      // b waited 2 s for a; a waited 1 s for b.
      [`workqueue_queue_duration_seconds_sum${LABELS}`]: 3,
      [`workqueue_queue_duration_seconds_count${LABELS}`]: 3,
      [`workqueue_work_duration_seconds_sum${LABELS}`]: 3,
      [`workqueue_work_duration_seconds_count${LABELS}`]: 3,
      [`workqueue_unfinished_work_seconds${LABELS}`]: 0,
      [`workqueue_longest_running_processor_seconds${LABELS}`]: 0,
      'controller_runtime_active_workers{controller="gameanalytics"}': 0,
      'controller_runtime_reconcile_total{controller="gameanalytics",result="success"}': 2,
      'controller_runtime_reconcile_total{controller="gameanalytics",result="error"}': 1,
      'controller_runtime_reconcile_time_seconds_sum{controller="gameanalytics"}': 3,
    });
  });
});

describe('in whatever order keys are added and runs end', () => {
  const key = fc.constantFrom('ns/a', 'ns/b', 'ns/c', 'ns/d');
  const millis = fc.integer({ min: 0, max: 3000 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), key }),
    fc.record({ kind: fc.constant('addAfter' as const), key, millis }),
    fc.record({ kind: fc.constant('succeed' as const), nth: fc.nat() }),
    fc.record({ kind: fc.constant('requeue' as const), nth: fc.nat(), millis }),
    fc.record({ kind: fc.constant('fail' as const), nth: fc.nat() }),
    fc.record({ kind: fc.constant('giveUp' as const), nth: fc.nat() }),
    fc.record({ kind: fc.constant('pass' as const), millis }),
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  type Story = { what: 'wants' | 'starts'; key: string }[];

  /** Takes the step, and adds to the story who wants a run because of it. */
  async function take(
    step: Step,
    { queue, running }: ReturnType<typeof queueOf>,
    story: Story,
  ): Promise<void> {
    if (step.kind === 'pass') {
      await pass(step.millis);
      return;
    }
    if (step.kind === 'add' || step.kind === 'addAfter') {
      story.push({ what: 'wants', key: step.key });
      if (step.kind === 'add') queue.add(step.key);
      else queue.addAfter(step.key, step.millis);
      return;
    }
    const run = running[step.nth % running.length];
    if (!run) return;
    if (step.kind === 'requeue' || step.kind === 'fail') story.push({ what: 'wants', key: run.key });
    if (step.kind === 'succeed') run.succeed();
    else if (step.kind === 'requeue') run.succeed({ requeueAfterMillis: step.millis });
    else run.fail(step.kind === 'fail' ? new Outage('gone') : new TerminalError('never'));
  }

  /** Adds to the story which runs have started, and holds them to what must be so at every moment. */
  function follow({ started, running }: ReturnType<typeof queueOf>, workers: number, story: Story): void {
    const known = story.filter(({ what }) => what === 'starts').length;
    for (const key of started.slice(known)) story.push({ what: 'starts', key });
    expect(running.length).toBeLessThanOrEqual(workers);
    expect(new Set(running.map((run) => run.key)).size).toBe(running.length);
  }

  it('no key has two workers, everyone who wants a run gets one that starts later, and nobody else does', async () => {
    const interleaving = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }));
    await fc.assert(
      fc.asyncProperty(interleaving, async ([workers, steps]) => {
        const world = queueOf(workers);
        const story: Story = [];
        world.queue.start();
        for (const one of steps) {
          await take(one, world, story);
          follow(world, workers, story);
          // What follows comes in the same turn.
          if (one.kind === 'add') continue;
          await pass();
          follow(world, workers, story);
        }
        for (let calm = false; !calm; ) {
          for (const run of [...world.running]) run.succeed();
          await pass(HOUR);
          follow(world, workers, story);
          calm = world.running.length === 0;
        }

        story.forEach(({ what, key }, i) => {
          const later = story.slice(i + 1).filter((other) => other.key === key);
          if (what === 'wants') expect(later.some((other) => other.what === 'starts')).toBe(true);
        });
        for (const start of story.keys()) if (story[start]?.what === 'starts') expectWanted(story, start);
        expect(world.queue.idle).toBe(true);
        expect(vi.getTimerCount()).toBe(0);
        expect(await world.metrics()).toMatchObject({
          [`workqueue_depth${LABELS}`]: 0,
          [`workqueue_adds_total${LABELS}`]: world.started.length,
          [`workqueue_queue_duration_seconds_count${LABELS}`]: world.started.length,
          [`workqueue_work_duration_seconds_count${LABELS}`]: world.started.length,
          'controller_runtime_reconcile_time_seconds_count{controller="gameanalytics"}': world.started.length,
          'controller_runtime_active_workers{controller="gameanalytics"}': 0,
        });
      }),
      { numRuns: 200 },
    );
  });

  /** Between two starts of a key someone must have wanted the second. */
  function expectWanted(story: Story, start: number): void {
    const before = story.slice(0, start).filter(({ key }) => key === story[start]?.key);
    expect(before.at(-1)?.what).toBe('wants');
  }
});
