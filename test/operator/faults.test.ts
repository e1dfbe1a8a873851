import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import type { Call, Decision, FaultProxy } from '../../testkit/fault-proxy/fault-proxy.ts';
import { isLease, type Spec, Subject, type Transition } from '../../testkit/sieve/subject.ts';

const plane = connectedControlPlane();

const TEAMS = { name: 'teams', type: 'TopTeams', size: 10 };
const PLAYERS = { name: 'players', type: 'TopPlayers', size: 10 };
const STREAKERS = { name: 'streakers', type: 'HotStreakers' };

/** A pipeline that goes without a trace when it is deleted. */
const BASE: Spec = {
  kafka: { cluster: 'games', authentication: { type: 'tls' } },
  events: { deletionPolicy: 'Delete' },
  flink: { state: { claim: 'state' } },
  leaderboards: [TEAMS, PLAYERS],
  injector: {},
  dashboard: { replicas: 2 },
};

/** A life of a resource, from nothing to nothing. */
const LIFE = {
  create: BASE,
  'add a board and change another': {
    ...BASE,
    leaderboards: [{ ...TEAMS, season: '2h' }, PLAYERS, STREAKERS],
  },
  'remove it and change that back': BASE,
  'scale the dashboard': { ...BASE, dashboard: { replicas: 3 } },
  'scale it back': BASE,
  delete: undefined,
};

type Step = keyof typeof LIFE;
const STEPS = Object.keys(LIFE) as Step[];

/** What each step comes to when nobody disturbs it. */
const life = new Map<Step, Transition>();

beforeAll(async () => {
  const subject = await Subject.start(plane);
  for (const step of STEPS) life.set(step, await subject.record(LIFE[step]));
  await subject.stop();
});

function transition(step: Step): Transition {
  const recorded = life.get(step);
  if (!recorded) throw new Error(`'${step}' was not recorded`);
  return recorded;
}

/** A subject of a test, led to where the steps given begin. */
async function subjectAt(step: Step, { onTestFinished }: TestContext): Promise<Subject> {
  const subject = await Subject.start(plane);
  onTestFinished(() => subject.stop());
  if (step !== 'create') await subject.repeat(transition('create'));
  return subject;
}

/**
 * One test crashes some sixty operators, one after the other: on a busy machine that has taken more than 300
 * s.
 */
describe.concurrent('an operator that crashes right after any of its writes', { timeout: 600_000 }, () => {
  it.for<[Step, Step]>([
    ['create', 'delete'],
    ['add a board and change another', 'remove it and change that back'],
    ['scale the dashboard', 'scale it back'],
  ])(
    'to %s and %s is followed by one that makes of it what nobody would have disturbed',
    async (steps, context) => {
      const subject = await subjectAt(steps[0], context);
      const left = new Set(steps);
      let crashes = 0;
      for (let number = 1; left.size > 0; number++)
        for (const step of steps)
          if (await crashAfter(subject, transition(step), number)) crashes++;
          else left.delete(step);
      expect(crashes).toBeGreaterThan(2);
    },
  );

  it('leaves nothing behind when the resource is deleted before the next one starts', async (context) => {
    const subject = await subjectAt('create', context);
    for (let number = 1; ; number++) {
      const crashed = crashAt(subject, number);
      await subject.change(BASE);
      await subject.reaches(transition('create'), crashed);
      if (!crashed.aborted) break;
      await subject.change(undefined);
      await subject.startOperator();
      await subject.expectState(transition('delete'));
    }
  });
});

/**
 * Crashes the operator right after its write of this number, starts another, and says whether it came to
 * that.
 */
async function crashAfter(subject: Subject, transition: Transition, number: number): Promise<boolean> {
  let crashed: AbortSignal | undefined;
  await subject.repeat(transition, () => {
    const signal = crashAt(subject, number);
    crashed = signal;
    return async () => {
      await subject.reaches(transition, signal);
      if (signal.aborted) await subject.startOperator();
      else subject.proxy.afterWrite();
    };
  });
  return crashed?.aborted ?? false;
}

/** Has the operator crash right after its write of this number; the signal says when. */
function crashAt(subject: Subject, number: number): AbortSignal {
  const crashed = new AbortController();
  let writes = 0;
  subject.proxy.afterWrite((write) => {
    if (isLease(write) || ++writes < number) return 'pass';
    if (!crashed.signal.aborted) subject.crash();
    crashed.abort();
    return 'reset';
  });
  return crashed.signal;
}

/**
 * Every so many-th write is disturbed, and each in one of as many rounds: one after another they would only
 * wait for each other.
 */
const ROUNDS = 3;

describe.concurrent('an operator whose writes', { timeout: 300_000 }, () => {
  it.for<[string, 'beforeWrite' | 'afterWrite', Decision]>([
    ['meet a conflict', 'beforeWrite', { status: 409 }],
    ['are too many', 'beforeWrite', { status: 429 }],
    ['meet a server that fails', 'beforeWrite', { status: 500 }],
    ['never arrive', 'beforeWrite', 'reset'],
    ['are done and said to have failed', 'afterWrite', { status: 500 }],
    ['are done, and the connection breaks before the answer', 'afterWrite', 'reset'],
  ])('%s does nothing twice', async ([, when, decision], context) => {
    const subject = await subjectAt('create', context);
    let faults = 0;
    for (let round = 0; round < ROUNDS; round++) {
      let writes = round;
      subject.proxy[when]((call: Call) => {
        if (isLease(call) || ++writes % ROUNDS > 0) return 'pass';
        faults++;
        return decision;
      });
      for (const step of STEPS) await subject.repeat(transition(step));
    }
    expect(faults).toBeGreaterThan(50);
  });

  it.for<Step>(['create', 'add a board and change another'])(
    'are done to %s, and never answered, does nothing twice',
    async (step, context) => {
      const subject = await subjectAt(step, context);
      let writes = 0;
      subject.proxy.afterWrite((write) => (!isLease(write) && ++writes % ROUNDS === 0 ? 'hold' : 'pass'));
      await subject.repeat(transition(step));
    },
  );
});

describe.concurrent('an operator whose watches', { timeout: 300_000 }, () => {
  /**
   * Goes through a whole life, with something that happens during each step. Each meets a new operator, which
   * has no failures yet.
   */
  async function live(context: TestContext, happen: (proxy: FaultProxy) => Promise<void>): Promise<void> {
    const subject = await subjectAt('create', context);
    for (const step of STEPS) {
      subject.crash();
      await subject.startOperator();
      await subject.repeat(transition(step), () => () => happen(subject.proxy));
    }
  }

  it('break, and may never resume from where they were, lists everything again', (context) =>
    live(context, async (proxy) => {
      await sleep(100);
      forbidResuming(proxy);
      proxy.resetConnections();
    }));

  it('lose every other event finds what it missed in the next list', (context) =>
    live(context, async (proxy) => {
      let events = 0;
      proxy.dropWatchEvents(() => ++events % 2 === 0);
      await sleep(500);
      proxy.dropWatchEvents();
      forbidResuming(proxy);
      proxy.resetConnections();
    }));

  it('stand still for a while takes nothing for undone that it has done', (context) =>
    live(context, async (proxy) => {
      await sleep(100);
      proxy.freezeWatches();
      await sleep(800);
      proxy.thawWatches();
    }));

  it('and calls find no server for two seconds continues when there is one', (context) =>
    live(context, (proxy) => proxy.down(2_000)));
});

/** A watch that would resume from where it was learns that this is too long ago. */
function forbidResuming(proxy: FaultProxy): void {
  proxy.answerWatches(410, (watch) => {
    const before = proxy.reads.filter(({ path }) => path === watch.path).at(-2);
    return before?.verb === 'watch';
  });
}

describe.concurrent('an operator that starts with a view of the past', { timeout: 300_000 }, () => {
  it.for<Step>(['create', 'add a board and change another', 'remove it and change that back'])(
    'from any write to %s on does nothing twice, and catches up',
    async (step, context) => {
      const subject = await subjectAt(step, context);
      if (step === 'remove it and change that back')
        await subject.repeat(transition('add a board and change another'));
      const moments: string[] = [];
      subject.proxy.afterWrite(async (write) => {
        if (!isLease(write)) moments.push(await subject.moment());
        return 'pass' as const;
      });
      await subject.repeat(transition(step));
      expect(moments.length).toBeGreaterThan(5);
      for (const listsAsOf of moments) {
        subject.crash();
        await subject.expectNoDeeds(async () => {
          await subject.startOperator((proxy) => proxy.freezeWatches({ listsAsOf }));
          await subject.untilReconciled();
          subject.proxy.thawWatches();
          await subject.expectState(transition(step));
        });
      }
    },
  );
});
