import { describe, expect, it } from 'vitest';
import { isUpToDate as isKindUpToDate } from '../../../../operator/controller/up-to-date.ts';
import { DEPLOYMENT, SERVICE } from '../../../../operator/kube/kinds.ts';

const isUpToDate = (live: unknown, desired: unknown) => isKindUpToDate(live, desired, DEPLOYMENT.mergeKeys);

const deployment = (containers: unknown[], more: object = {}) => ({
  metadata: { labels: { app: 'x' } },
  spec: { template: { spec: { containers } }, ...more },
});
const limits = (cpu: string, memory: string) =>
  deployment([{ name: 'a', resources: { limits: { cpu, memory } } }]);
const limitless = deployment([{ name: 'a', resources: { limits: {} } }]);

describe('a live object covers a desired one', () => {
  it('that is the same but for what others added', () => {
    const desired = deployment([{ name: 'app', env: [{ name: 'A', value: '1' }] }]);
    const live = {
      metadata: { labels: { app: 'x', team: 'blue' }, uid: '1' },
      spec: {
        replicas: 7,
        template: {
          spec: {
            containers: [
              { name: 'sidecar' },
              { name: 'app', env: [{ name: 'B' }, { name: 'A', value: '1' }], imagePullPolicy: 'Always' },
            ],
          },
        },
      },
      status: { replicas: 7 },
    };
    expect(isUpToDate(live, desired)).toBe(true);
  });

  it('whose pods others spread otherwise too', () => {
    const spread = (...constraints: [string, string, number][]) => ({
      spec: {
        template: {
          spec: {
            topologySpreadConstraints: constraints.map(([topologyKey, whenUnsatisfiable, maxSkew]) => ({
              topologyKey,
              whenUnsatisfiable,
              maxSkew,
            })),
          },
        },
      },
    });
    const ours: [string, string, number] = ['host', 'ScheduleAnyway', 1];
    expect(isUpToDate(spread(['host', 'DoNotSchedule', 5], ours, ['host', 'x', 2]), spread(ours))).toBe(true);
    expect(isUpToDate(spread(['host', 'DoNotSchedule', 1]), spread(ours))).toBe(false);
  });

  it.each([
    ['0.5', '500m', '1024Mi', '1Gi'],
    ['1000m', '1', '128974848', '123Mi'],
    ['0.1', '100m', '1G', '1000M'],
    ['2', '2', '9223372036854775807', '9223372036854775807'],
    ['0.0001', '1m', '99999999999999999999', '9223372036854775807'],
    ['0.57', '570m', '0.5', '500m'],
  ])('whose quantities are written another way: %s is %s, %s is %s', (cpu, sameCpu, memory, sameMemory) => {
    expect(isUpToDate(limits(sameCpu, sameMemory), limits(cpu, memory))).toBe(true);
  });

  it('but for what is empty, which the API server leaves out', () => {
    expect(isUpToDate(deployment([{ name: 'a', resources: {} }]), limitless)).toBe(true);
    expect(isUpToDate(deployment([{ name: 'a' }]), limits('1', '1Gi'))).toBe(false);
  });
});

describe('a list that the API server merges by keys', () => {
  const ports = (...numbers: number[]) => ({ spec: { ports: numbers.map((port) => ({ port })) } });

  it('is so for the kind that declares them alone', () => {
    expect(isKindUpToDate(ports(1, 80), ports(80), SERVICE.mergeKeys)).toBe(true);
    expect(isKindUpToDate(ports(1, 80), ports(80), DEPLOYMENT.mergeKeys)).toBe(false);
  });

  it('is, of every kind, that of the owners', () => {
    const owners = (...uids: string[]) => ({ metadata: { ownerReferences: uids.map((uid) => ({ uid })) } });
    expect(isKindUpToDate(owners('a', 'b'), owners('b'))).toBe(true);
    expect(isKindUpToDate(owners('a'), owners('b'))).toBe(false);
  });
});

describe('a live object does not cover a desired one', () => {
  const desired = deployment([{ name: 'app', env: [{ name: 'A', value: '1' }] }], { args: ['a', 'b'] });

  it.each<[string, unknown]>([
    ['with another value', { ...desired, metadata: { labels: { app: 'y' } } }],
    ['without a field', { ...desired, metadata: {} }],
    ['without a list', { ...desired, spec: { template: { spec: {} } } }],
    ['without an item', deployment([], { args: ['a', 'b'] })],
    [
      'with another item of that name',
      deployment([{ name: 'app', env: [{ name: 'A', value: '2' }] }], { args: ['a', 'b'] }),
    ],
    [
      'with a list in another order',
      deployment([{ name: 'app', env: [{ name: 'A', value: '1' }] }], { args: ['b', 'a'] }),
    ],
    [
      'with a longer list that is ours alone',
      deployment([{ name: 'app', env: [{ name: 'A', value: '1' }] }], { args: ['a', 'b', 'c'] }),
    ],
    ['that is nothing', undefined],
  ])('%s', (_, live) => {
    expect(isUpToDate(live, desired)).toBe(false);
  });

  it('with more or less of a resource', () => {
    expect(isUpToDate(limits('500m', '1Gi'), limits('0.6', '1Gi'))).toBe(false);
    expect(isUpToDate(limits('500m', '1G'), limits('0.5', '1Gi'))).toBe(false);
    expect(isUpToDate(limits('1m', '1Ti'), limits('1m', '1099511627777'))).toBe(false);
  });
});
