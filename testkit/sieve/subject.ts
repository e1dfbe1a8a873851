import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { LEASE } from '../../operator/kube/kinds.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { type FaultProxy, startFaultProxy, type Write } from '../fault-proxy/fault-proxy.ts';
import { startOperator, type TestOperator } from '../operator/operator.ts';
import { digestOf, nameWithoutRevision } from '../operator/without-history.ts';
import { ControllerApi } from '../stand-ins/api.ts';
import type { Deploy } from '../stand-ins/flink-operator.ts';
import { createKafka } from '../stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../stand-ins/stand-ins.ts';
import { isReady, type State, stateOf } from './state.ts';

export type Spec = Record<string, unknown>;

/** A change of the resource, and what an operator that nobody disturbs makes of it. */
export interface Transition {
  /** Undefined: the resource is deleted. */
  to: Spec | undefined;
  /** What there is in the end. */
  state: State;
  /** What was created, deleted and deployed on the way, sorted. */
  deeds: string[];
}

const NAME = 'arcade';
const POLL_MILLIS = 100;
/** Without a write for so long it is at rest. */
const REST_MILLIS = 250;
const LIMIT_MILLIS = 60_000;

/** A pipeline in a namespace of its own, with an operator whose every call goes through a fault proxy. */
export class Subject {
  readonly namespace: string;
  readonly #plane: ControlPlaneAccess;
  readonly #standIns: StandIns;
  readonly #client: KubeClient;
  readonly #user: ControllerApi;
  /** Of every operator there has been. */
  readonly #proxies: FaultProxy[] = [];
  readonly #ended: Promise<void>[] = [];
  #operator: TestOperator | undefined;

  private constructor(plane: ControlPlaneAccess, namespace: string, standIns: StandIns) {
    this.#plane = plane;
    this.namespace = namespace;
    this.#standIns = standIns;
    this.#client = new KubeClient(plane.kubeConfig());
    this.#user = new ControllerApi(plane.kubeConfig(), 'a-user');
  }

  /** With a Kafka, and nothing else yet but the operator. */
  static async start(plane: ControlPlaneAccess): Promise<Subject> {
    const namespace = await plane.newNamespace();
    const standIns = await startStandIns(plane.kubeConfig(), { namespaces: [namespace], stepMillis: 5 });
    await createKafka(plane.kubeConfig(), namespace, 'games', {
      listeners: ['plain', { name: 'tls', authentication: 'tls' }],
    });
    const subject = new Subject(plane, namespace, standIns);
    await subject.startOperator();
    return subject;
  }

  /** The proxy of the operator that runs. */
  get proxy(): FaultProxy {
    const proxy = this.#proxies.at(-1);
    if (!proxy) throw new Error('no operator was started');
    return proxy;
  }

  /** Starts an operator, and has its proxy set up before its first call. */
  async startOperator(setUp: (proxy: FaultProxy) => void = () => {}): Promise<void> {
    const proxy = await startFaultProxy(this.#plane.kubeConfig());
    setUp(proxy);
    this.#proxies.push(proxy);
    // Of the Lease it is only of interest here that it is free: a crashed operator's has run out long since.
    const leaseName = `operator-${this.#proxies.length}`;
    this.#operator = startOperator(proxy.config, this.namespace, { leaseName });
  }

  /**
   * Cuts the operator off for good: nothing of it reaches the server any more, nor anything of the server it.
   */
  crash(): void {
    const { proxy } = this;
    proxy.beforeRead(() => 'reset');
    proxy.beforeWrite(() => 'reset');
    proxy.resetConnections();
    this.#end();
  }

  #end(): void {
    if (this.#operator) this.#ended.push(this.#operator.stop().catch(() => undefined));
    this.#operator = undefined;
  }

  /** Gives the resource this spec, or deletes it, as its user. */
  async change(to: Spec | undefined): Promise<void> {
    if (!to) {
      await this.#plane.kubectl(
        'delete',
        'gameanalytics',
        NAME,
        `--namespace=${this.namespace}`,
        '--wait=false',
      );
      return;
    }
    const metadata = { name: NAME, namespace: this.namespace };
    const spec = { kafka: { cluster: 'games' }, ...to };
    await this.#user.apply({ apiVersion: API_VERSION, kind: KIND, metadata, spec });
  }

  /** Makes the change undisturbed, and tells what came of it. */
  async record(to: Spec | undefined): Promise<Transition> {
    const before = this.#seen();
    await this.change(to);
    await this.#poll(async () =>
      to ? isReady(this.#client, this.namespace, NAME) : isEmpty(await this.state()),
    );
    await this.#rest();
    return { to, state: await this.state(), deeds: this.#deedsSince(before) };
  }

  /**
   * Makes a change that was recorded while something disturbs the operator, and holds the end to what was
   * recorded.
   *
   * @param disturb is called before the change; what it returns, after it, and it may take its time
   */
  async repeat(
    transition: Transition,
    disturb: () => () => void | Promise<void> = () => () => {},
  ): Promise<void> {
    const before = this.#seen();
    const goOn = disturb();
    await this.change(transition.to);
    await goOn();
    await this.expectState(transition);
    expect(this.#deedsSince(before)).toEqual(transition.deeds);
  }

  /** Waits until the operator that runs has looked at the resource, and done what it then did. */
  async untilReconciled(): Promise<void> {
    const { registry } = this.#operator!.metrics;
    const count = () => registry.getSingleMetricAsString('controller_runtime_reconcile_total');
    await this.#poll(async () => /\} [1-9]/.test(await count()));
  }

  /** Waits until there is what a change leads to, and it stays so. */
  async expectState(transition: Transition): Promise<void> {
    let state: State = {};
    const isThere = async () => {
      if (!(await this.#isAt(transition))) return false;
      // An operator that comes to it late may have yet to begin.
      await this.#rest();
      state = await this.state();
      return isDeepStrictEqual(state, transition.state);
    };
    // The comparison says better what is wrong.
    await this.#poll(isThere).catch(async () => {
      state = await this.state();
    });
    expect(state, this.log.slice(-20).join('')).toEqual(transition.state);
  }

  /** Holds that something creates, deletes and deploys nothing. */
  async expectNoDeeds(work: () => Promise<void>): Promise<void> {
    const before = this.#seen();
    await work();
    expect(this.#deedsSince(before)).toEqual([]);
  }

  /**
   * Resolves when there is what a change leads to and nobody writes any more, or when the signal comes first.
   */
  async reaches(transition: Transition, signal: AbortSignal): Promise<void> {
    await this.#poll(async () => signal.aborted || this.#isAt(transition));
    if (!signal.aborted) await this.#rest();
  }

  /** A resourceVersion that stands for now. */
  async moment(): Promise<string> {
    return (await this.#client.list(LEASE, { namespace: this.namespace, limit: 1 })).resourceVersion;
  }

  state(): Promise<State> {
    return stateOf(this.#client, this.namespace);
  }

  /** Lines of the log of the operator that runs. */
  get log(): string[] {
    return this.#operator?.log ?? [];
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#standIns.stop();
    await Promise.all(this.#ended);
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await Promise.all([this.#user.close(), this.#client.close()]);
  }

  /** Asks for little until there is something to compare. */
  async #isAt({ to, state }: Transition): Promise<boolean> {
    if (to && !(await isReady(this.#client, this.namespace, NAME))) return false;
    return isDeepStrictEqual(await this.state(), state);
  }

  async #poll(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + LIMIT_MILLIS;
    while (!(await isSo())) {
      if (Date.now() > deadline)
        throw new Error(`not so after ${LIMIT_MILLIS} ms:\n${this.log.slice(-20).join('')}`);
      await sleep(POLL_MILLIS);
    }
  }

  /** Waits until nobody writes any more. */
  async #rest(): Promise<void> {
    for (let before = -1; before !== this.#activity; ) {
      before = this.#activity;
      await sleep(REST_MILLIS);
    }
  }

  get #activity(): number {
    return this.#writes().length + this.#standIns.deploys.length;
  }

  /** Of all operators, their Leases aside. */
  #writes(): Write[] {
    return this.#proxies.flatMap(({ writes }) => writes.filter((write) => !isLease(write)));
  }

  #seen(): Set<Write | Deploy> {
    return new Set([...this.#writes(), ...this.#standIns.deploys]);
  }

  /** What was created, deleted and deployed since then, sorted. */
  #deedsSince(seen: Set<Write | Deploy>): string[] {
    const writes = this.#writes().filter((write) => !seen.has(write));
    const deploys = this.#standIns.deploys.filter((deploy) => !seen.has(deploy));
    const deployed = deploys.map(({ script }) => `deploy ${digestOf(script)}`);
    return [...writes.flatMap(deedOf), ...deployed].sort();
  }
}

/** What a write has created or deleted. Reporting it, even twice, does no harm. */
function deedOf({ resource, name, verb, status }: Write): string[] {
  if (resource === 'events') return [];
  if (status === 201) return [`create ${resource} ${nameWithoutRevision(name)}`];
  return verb === 'delete' && status < 300 ? [`delete ${resource} ${nameWithoutRevision(name)}`] : [];
}

function isEmpty(state: State): boolean {
  return Object.keys(state).length === 0;
}

/** Who leads is another matter, with tests of its own. */
export function isLease({ resource }: { resource: string }): boolean {
  return resource === 'leases';
}
