import { describe, expect, it } from 'vitest';
import { grantedRights, grantUsers, keepExistingAcls } from '../../../../operator/controller/acls.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import type { KafkaAcl, KafkaTopic, KafkaUser } from '../../../../plan/objects.ts';
import { live } from './live.ts';

const GAME = live('GameAnalytics').metadata;
const OWNED = {
  labels: { 'app.kubernetes.io/managed-by': 'gameanalytics-operator', 'app.kubernetes.io/instance': 'game' },
};
const READY = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const CONFLICT = {
  observedGeneration: 1,
  conditions: [{ type: 'Ready', status: 'False', reason: 'ResourceConflict', message: 'Managed by Ref{}' }],
};
const DOWN = {
  observedGeneration: 1,
  conditions: [{ type: 'Ready', status: 'False', reason: 'KafkaHandler', message: 'no broker' }],
};

const write = (name: string): KafkaAcl => ({
  resource: { type: 'topic', name, patternType: 'literal' },
  operations: ['Write'],
});
const user = (...topics: string[]) =>
  ({
    kind: 'KafkaUser',
    metadata: { name: 'game-flink-kafka' },
    spec: {
      authentication: { type: 'tls' },
      authorization: { type: 'simple', acls: topics.map(write) },
    },
  }) as KafkaUser;
const liveUser = (...topics: string[]) => live('KafkaUser', { spec: user(...topics).spec });
const topicsOf = ({ spec }: KafkaUser) => spec.authorization.acls.map(({ resource }) => resource.name);
const topic = (name: string, found?: LiveObject) => ({
  desired: { kind: 'KafkaTopic', metadata: { name } } as KafkaTopic,
  live: found,
});

const granted = (found: LiveObject | undefined, had: LiveObject | undefined) => {
  const { user: made, waitsFor } = grantedRights(
    user('game-board', 'payments'),
    had,
    [topic('game-board', found)],
    GAME,
  );
  return { topics: topicsOf(made), waitsFor };
};
const ALL = { topics: ['game-board', 'payments'], waitsFor: [] };
const WITHHELD = { topics: ['payments'], waitsFor: ['game-board'] };

describe('the right to a topic of the plan', () => {
  const had = liveUser('game-board');

  it('is given once Strimzi says that the topic is ready', () => {
    expect(granted(live('KafkaTopic', { status: READY }, OWNED), undefined)).toEqual(ALL);
    expect(granted(live('KafkaTopic', {}, OWNED), undefined)).toEqual(WITHHELD);
    expect(granted(live('KafkaTopic', { status: DOWN }, OWNED), undefined)).toEqual(WITHHELD);
  });

  it('stays while a topic that was ready is not', () => {
    expect(granted(live('KafkaTopic', { status: DOWN }, OWNED), had)).toEqual(ALL);
    expect(granted(live('KafkaTopic', {}, { ...OWNED, generation: 2 }), had)).toEqual(ALL);
  });

  it('is not given, and is taken, when the topic is someone else’s', () => {
    const foreign = live('KafkaTopic', { status: READY }, { labels: {} });
    const served = live('KafkaTopic', { status: CONFLICT }, OWNED);
    for (const found of [undefined, foreign, served]) {
      expect(granted(found, undefined)).toEqual(WITHHELD);
      expect(granted(found, had)).toEqual(WITHHELD);
    }
  });
});

it('a user keeps the rights that it had in addition to those it should have', () => {
  const kept = keepExistingAcls(user('game-new', 'game-board'), liveUser('game-old', 'game-board'));
  expect(topicsOf(kept)).toEqual(['game-new', 'game-board', 'game-old']);
  expect(topicsOf(keepExistingAcls(user('game-new'), undefined))).toEqual(['game-new']);
});

describe('a user of the plan', () => {
  const grant = (children: LiveObject[], keepOthers = false) => {
    const topics = [topic('game-board').desired];
    return grantUsers([user('game-board')], topics, children, GAME, { keepOthers });
  };
  const NAME = { name: 'game-flink-kafka' };
  const BOARD = { ...OWNED, name: 'game-board' };
  const ready = live('KafkaTopic', { status: READY }, BOARD);

  it('is made once it may have all of its rights, and names what it waits for until then', () => {
    expect(grant([live('KafkaTopic', {}, BOARD)])).toEqual({
      granted: [],
      waiting: [
        {
          component: 'users',
          condition: {
            status: 'False',
            reason: 'Progressing',
            message: 'KafkaUser game-flink-kafka is made once KafkaTopic game-board is ready.',
          },
        },
      ],
    });
    const { granted, waiting } = grant([ready]);
    expect(granted).toEqual([user('game-board')]);
    expect(waiting).toEqual([]);
  });

  it('that is there has what it may have now', () => {
    const found = live('KafkaUser', { spec: user().spec }, NAME);
    const { granted, waiting } = grant([live('KafkaTopic', {}, BOARD), found]);
    expect(granted).toEqual([user()]);
    expect(waiting).toEqual([]);
  });

  it('keeps its other rights only where it is to', () => {
    const found = live('KafkaUser', { spec: user('game-board', 'game-old').spec }, NAME);
    const topics = (keepOthers: boolean) => grant([ready, found], keepOthers).granted.map(topicsOf);
    expect(topics(true)).toEqual([['game-board', 'game-old']]);
    expect(topics(false)).toEqual([['game-board']]);
  });
});
