import { describe, expect, it } from 'vitest';
import { renderStatus } from '../../../dashboard/page/render.ts';
import { createStatus } from '../../../dashboard/page/status.ts';
import {
  countedUntil,
  type ObservedState,
  type PipelineFacts,
  PipelineMonitor,
  type PipelineState,
  pipelineState,
} from '../../../dashboard/pipeline-state.ts';
import { NOW } from './fixtures.ts';

/** A healthy pipeline. */
const WELL: PipelineFacts = {
  available: true,
  countsKnown: true,
  handledMillis: NOW - 1000,
  countingMillis: NOW - 1000,
  progressMillis: NOW - 500,
  isReplaced: false,
  uncountedSince: undefined,
  readUntilMillis: NOW - 9000,
};

const stateWith = (facts: Partial<PipelineFacts>) => pipelineState({ ...WELL, ...facts }, NOW);

/** The job has counted nothing for a minute. */
const IDLE = { handledMillis: NOW - 60_000, countingMillis: undefined, progressMillis: NOW - 60_000 };

describe('a pipeline', () => {
  it.each<[string, Partial<PipelineFacts>, PipelineState]>([
    [
      'is live while events are counted, up to the slot of the newest',
      {},
      { kind: 'live', untilMillis: NOW - 6000 },
    ],
    [
      'is live up to now when nothing newer is in Kafka',
      { handledMillis: NOW - 12_000 },
      { kind: 'live', untilMillis: NOW },
    ],
    [
      'is live up to the newest counted event while newer ones are in Kafka',
      { handledMillis: NOW - 12_000, uncountedSince: NOW },
      { kind: 'live', untilMillis: NOW - 17_000 },
    ],
    [
      'is unavailable when Kafka does not answer, whatever else is known',
      { available: false },
      { kind: 'unavailable' },
    ],
    [
      'is replaced once the topic was seen to be another one, whatever the job counts',
      { ...IDLE, isReplaced: true, uncountedSince: NOW - 60_000 },
      { kind: 'replaced' },
    ],
    ['is waiting until the counts are known', { countsKnown: false }, { kind: 'waiting' }],
    ['is quiet when all is counted and nothing comes', IDLE, { kind: 'quiet', countedMillis: NOW - 60_000 }],
    [
      'is quiet when nothing ever came',
      { handledMillis: undefined, countingMillis: undefined, progressMillis: undefined },
      { kind: 'quiet', countedMillis: undefined },
    ],
    [
      'is stalled when events wait and nothing is counted',
      { ...IDLE, uncountedSince: NOW - 10_000 },
      { kind: 'stalled', progressMillis: NOW - 60_000 },
    ],
    [
      'is stalled when events wait and nothing was ever counted',
      {
        handledMillis: undefined,
        countingMillis: undefined,
        progressMillis: undefined,
        uncountedSince: NOW - 10_000,
      },
      { kind: 'stalled', progressMillis: undefined },
    ],
    [
      'is behind when the job counts events of long ago',
      { handledMillis: NOW - 90_000, countingMillis: NOW - 90_000, uncountedSince: NOW - 10_000 },
      { kind: 'behind', countingMillis: NOW - 90_000 },
    ],
    [
      'is behind a job that starts over, although newer events were counted before',
      { handledMillis: NOW - 30_000, countingMillis: NOW - 3_600_000, uncountedSince: NOW - 10_000 },
      { kind: 'behind', countingMillis: NOW - 3_600_000 },
    ],
  ])('%s', (_, facts, state) => {
    expect(stateWith(facts)).toEqual(state);
  });

  it('has some seconds to count the events that come after a pause', () => {
    expect(stateWith({ ...IDLE, uncountedSince: NOW - 9999 }).kind).toBe('quiet');
    expect(stateWith({ ...IDLE, uncountedSince: NOW - 10_000 }).kind).toBe('stalled');
  });

  it('is not behind by seconds, which events on their way always are', () => {
    const facts = { uncountedSince: NOW - 60_000, handledMillis: NOW - 14_999, countingMillis: NOW - 14_999 };
    expect(stateWith(facts).kind).toBe('live');
  });

  it('is not quiet while events are counted whose clock is slow', () => {
    expect(stateWith({ handledMillis: NOW - 300_000, countingMillis: NOW - 300_000 }).kind).toBe('live');
  });

  it('is live when a clock that makes events runs ahead', () => {
    expect(stateWith({ handledMillis: NOW + 50_000, countingMillis: NOW + 50_000 }).kind).toBe('live');
  });
});

describe('a monitor', () => {
  it('says since when the pipeline has been of a kind, whatever else changes', () => {
    let facts = WELL;
    const monitor = new PipelineMonitor(() => facts);
    expect(monitor.observe(NOW)).toEqual({
      kind: 'live',
      untilMillis: NOW - 6000,
      sinceMillis: NOW,
      countedUntilMillis: NOW - 6000,
      readUntilMillis: NOW - 9000,
    });
    facts = {
      ...WELL,
      uncountedSince: NOW - 60_000,
      handledMillis: NOW - 90_000,
      countingMillis: NOW - 90_000,
    };
    expect(monitor.observe(NOW + 1000)).toMatchObject({ kind: 'behind', sinceMillis: NOW + 1000 });
    facts = { ...facts, countingMillis: NOW - 80_000 };
    expect(monitor.observe(NOW + 2000)).toEqual({
      kind: 'behind',
      sinceMillis: NOW + 1000,
      countingMillis: NOW - 80_000,
      laggedMillis: NOW + 2000,
      countedUntilMillis: undefined,
      readUntilMillis: NOW - 9000,
    });
  });

  it('does not know the counts while there are events that should have been counted', () => {
    const monitor = new PipelineMonitor(() => ({ ...WELL, uncountedSince: NOW }));
    expect(monitor.observe(NOW)).toMatchObject({ kind: 'live', countedUntilMillis: undefined });
  });

  it('knows the counts of a job that lagged once it has read all that came meanwhile, in every partition', () => {
    let facts: PipelineFacts = { ...WELL, uncountedSince: NOW - 60_000, ...IDLE };
    const monitor = new PipelineMonitor(() => facts);
    expect(monitor.observe(NOW)).toMatchObject({ kind: 'stalled', countedUntilMillis: undefined });
    facts = { ...WELL, readUntilMillis: NOW };
    const caughtUp = monitor.observe(NOW + 100_000);
    expect(caughtUp.countedUntilMillis).toBeUndefined();
    expect(countedUntil(caughtUp, NOW + 200_000)).toBeUndefined();
    facts = { ...WELL, readUntilMillis: NOW + 1 };
    expect(monitor.observe(NOW + 100_000).countedUntilMillis).toBe(NOW + 100_000);
  });
});

describe('the status on the page', () => {
  const ADVICE = {
    stalled: 'Look at the condition JobRunning: kubectl describe gameanalytics <arcade>.',
    replaced: 'To count the new topic from its beginning: start again.',
  };
  const html = (state: PipelineState) =>
    renderStatus(createStatus({ ...state, sinceMillis: NOW } as ObservedState, ADVICE));

  it.each<[PipelineState, string, RegExp | undefined]>([
    [{ kind: 'live', untilMillis: NOW }, 'live', undefined],
    [{ kind: 'waiting' }, 'waiting', undefined],
    [{ kind: 'quiet', countedMillis: undefined }, 'quiet', /No event has been counted yet\.<\/p>/],
    [{ kind: 'quiet', countedMillis: NOW - 60_000 }, 'quiet', /No events are coming\..*last event: <time/],
    [{ kind: 'behind', countingMillis: NOW }, 'catching up', /is catching up: .*counting events from: <time/],
    [
      { kind: 'stalled', progressMillis: NOW },
      'not counting',
      /does not count them\..*last count: <time.*JobRunning/,
    ],
    [
      { kind: 'stalled', progressMillis: undefined },
      'not counting',
      /has not counted any yet\. <span>Look at/,
    ],
    [
      { kind: 'replaced' },
      'topic replaced',
      /was deleted and created again\..*<time.*To count the new topic/,
    ],
    [{ kind: 'unavailable' }, 'Kafka unavailable', /Kafka does not answer\..*noticed: <time/],
  ])('for %j is %s', (state, label, banner) => {
    expect(html(state)).toContain(`data-state="${state.kind}" data-label="${label}"`);
    if (banner) expect(html(state)).toMatch(banner);
    else expect(html(state)).not.toContain('banner');
  });

  it('is text', () => {
    expect(html({ kind: 'stalled', progressMillis: undefined })).toContain('gameanalytics &lt;arcade&gt;.');
  });

  it('is the same while nothing changes but the time: browsers tell the ages', () => {
    const monitor = new PipelineMonitor(() => ({ ...WELL, ...IDLE, uncountedSince: NOW - 60_000 }));
    const at = (now: number) => renderStatus(createStatus(monitor.observe(now), ADVICE));
    expect(at(NOW + 30_000)).toBe(at(NOW));
  });
});
