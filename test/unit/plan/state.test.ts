import { describe, expect, it } from 'vitest';
import { keepsState, stateOf } from '../../../plan/state.ts';
import { resource } from '../../support/resource.ts';

type Spec = Record<string, unknown>;

const top = (fields: Spec = {}) => ({ name: 'top-teams', type: 'TopTeams', ...fields });
const streaks = (fields: Spec = {}) => ({ name: 'hot', type: 'HotStreakers', ...fields });
const query = (fields: Spec = {}) => ({
  name: 'mine',
  type: 'Query',
  columns: [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'user_id', type: 'STRING' },
  ],
  query: 'SELECT 1, user_id FROM valid_events',
  ...fields,
});

function keeps(from: Spec, to: Spec): boolean {
  return keepsState(stateOf(resource(from)), stateOf(resource(to)));
}

describe('a job whose spec changes', () => {
  it.each<[string, Spec, Spec]>([
    ['nothing', {}, {}],
    ['memory and parallelism', {}, { flink: { parallelism: 4, taskManager: { memory: '2Gi' } } }],
    ['the image', {}, { flink: { image: 'flink:mine' } }],
    ['a title', { leaderboards: [top()] }, { leaderboards: [top({ title: 'Best' })] }],
    ['a smaller size', { leaderboards: [top({ size: 10 })] }, { leaderboards: [top({ size: 5 })] }],
    ['the size of a Query board', { leaderboards: [query()] }, { leaderboards: [query({ size: 50 })] }],
    ['the injector', {}, { injector: { eventsPerSecond: 100 } }],
    ['the retention of events', {}, { events: { retention: '48h', partitions: 6 } }],
  ])('keeps its state over a change of %s', (_, from, to) => {
    expect(keeps(from, to)).toBe(true);
  });

  it.each<[string, Spec, Spec]>([
    ['a greater size', { leaderboards: [top({ size: 10 })] }, { leaderboards: [top({ size: 11 })] }],
    ['a season', { leaderboards: [top()] }, { leaderboards: [top({ season: '30m' })] }],
    ['a board more', { leaderboards: [top()] }, { leaderboards: [top(), streaks()] }],
    ['a board less', { leaderboards: [top(), streaks()] }, { leaderboards: [top()] }],
    ['a window', { leaderboards: [streaks()] }, { leaderboards: [streaks({ memory: '10m' })] }],
    ['the lateness', {}, { events: { maxLateness: '10s' } }],
    ['the topic', {}, { events: { topic: 'own' } }],
    [
      'a query',
      { leaderboards: [query()] },
      { leaderboards: [query({ query: 'SELECT 2, user_id FROM valid_events' })] },
    ],
  ])('reads the events again after a change of %s', (_, from, to) => {
    expect(keeps(from, to)).toBe(false);
  });

  it('reads the events again when nobody knows what its state was made by', () => {
    expect(keepsState(undefined, stateOf(resource()))).toBe(false);
  });
});
