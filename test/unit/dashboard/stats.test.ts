import { describe, expect, it } from 'vitest';
import { Stats } from '../../../dashboard/stats/stats.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import { NOW, record } from './fixtures.ts';

const COUNTS = {
  ...NO_STATS,
  events: 100,
  late_events: 2,
  robot_events: 3,
  uncounted_events: 4,
  undecodable_messages: 5,
  active_players: 6,
  active_teams: 7,
  newest_event_time: NOW - 1000,
  uncounted_reason: 'score is missing, or no number',
};

/** The slot that began so many seconds before now. */
function slot(secondsAgo: number, counts: object = {}): KafkaRecord {
  return record({ slot_start: NOW - 1000 * secondsAgo }, { ...COUNTS, ...counts });
}

function statsOf(...records: KafkaRecord[]): Stats {
  const stats = new Stats();
  for (const one of records) stats.apply(one, NOW);
  return stats;
}

/** All that reached Kafka before that was read and counted. */
const all = (millis: number) => ({ countedUntilMillis: millis, readUntilMillis: millis });

const starts = (stats: Stats, now = NOW) =>
  stats.view(now, all(now)).slots.map(({ startMillis }) => (NOW - startMillis) / 1000);

describe('the counts', () => {
  it('are kept by slot, in order, each as it was written last', () => {
    const stats = statsOf(slot(5), slot(15), slot(5, { events: 120 }));
    expect(stats.view(NOW, all(NOW)).slots).toMatchObject([
      { startMillis: NOW - 15_000, events: 100 },
      {
        startMillis: NOW - 5000,
        events: 120,
        lateEvents: 2,
        robotEvents: 3,
        uncountedEvents: 4,
        undecodableMessages: 5,
        activePlayers: 6,
        activeTeams: 7,
        newestEventMillis: NOW - 1000,
        uncountedReason: 'score is missing, or no number',
      },
    ]);
  });

  it('are of the last five minutes', () => {
    const stats = statsOf(slot(3600), slot(305), slot(300), slot(5));
    expect(starts(stats)).toEqual([300, 5]);
    expect(starts(stats, NOW + 295_000)).toEqual([5]);
    expect(starts(stats, NOW + 300_000)).toEqual([]);
  });

  it('forget a slot that was taken back', () => {
    expect(starts(statsOf(slot(10), slot(5), record({ slot_start: NOW - 10_000 }, null)))).toEqual([5]);
  });

  it('count nothing below zero', () => {
    expect(
      statsOf(slot(5, { undecodable_messages: -3 })).view(NOW, all(NOW)).slots[0]?.undecodableMessages,
    ).toBe(0);
  });

  it('remember the newest event for as long as it takes', () => {
    const stats = statsOf(
      slot(3600, { newest_event_time: NOW - 3_600_000 }),
      slot(1800, { newest_event_time: null }),
    );
    expect(stats.view(NOW, all(NOW)).slots).toEqual([]);
    expect(stats.newestEventMillis).toBe(NOW - 3_600_000);
  });

  it('are not led astray by an event that is ahead of its own count', () => {
    const stats = statsOf({
      ...slot(5, { newest_event_time: NOW + 3_600_000 }),
      timestampMillis: NOW - 2000,
    });
    expect(stats.newestEventMillis).toBe(NOW - 2000);
    expect(stats.view(NOW, all(NOW)).slots[0]?.newestEventMillis).toBe(NOW - 2000);
  });

  it('have totals of the five minutes', () => {
    expect(statsOf(slot(305), slot(100), slot(5)).view(NOW, all(NOW)).totals).toEqual({
      events: 200,
      lateEvents: 4,
      robotEvents: 6,
      uncountedEvents: 8,
      undecodableMessages: 10,
    });
  });

  it.each([
    ['a key that is no JSON', { ...slot(5), key: Buffer.from('{') }],
    ['no key', { ...slot(5), key: null }],
    ['a start that no slot has', slot(4)],
    ['a count that is text', slot(5, { events: '1' })],
    ['a count that is missing', slot(5, { active_teams: undefined })],
    ['a value that is no JSON', { ...slot(5), value: Buffer.from('nothing') }],
    ['a slot of a clock that runs far ahead', slot(-3605)],
  ])('ignore %s', (_, raw) => {
    expect(statsOf(slot(10), raw).view(NOW, all(NOW))).toEqual(statsOf(slot(10)).view(NOW, all(NOW)));
  });
});

describe('what is not counted', () => {
  it('is listed by reason, the most frequent first, with shares of the last minute and the newest example', () => {
    const stats = statsOf(
      slot(200, { uncounted_no_time: 5, example_no_time: 'score=1' }),
      slot(10, { uncounted_no_user: 2, example_no_user: 'score=2' }),
      slot(5, { uncounted_no_user: 6, example_no_user: 'score=3', example_malformed: '}' }),
    );
    expect(stats.view(NOW + 2000, all(NOW + 2000)).notCounted).toEqual([
      { id: 'malformed', text: expect.any(String), count: 15, minuteShare: 10 / 210, example: '}' },
      {
        id: 'no_user',
        text: 'user_id is missing, or no text',
        count: 8,
        minuteShare: 8 / 200,
        example: 'score=3',
      },
      { id: 'no_time', text: expect.any(String), count: 5, minuteShare: 0, example: 'score=1' },
    ]);
  });

  it('is nothing while all is counted, or may yet be', () => {
    const NONE = { uncounted_events: 0, undecodable_messages: 0 };
    expect(statsOf(slot(5, NONE)).view(NOW, all(NOW)).notCounted).toEqual([]);
    const unread = { countedUntilMillis: NOW, readUntilMillis: undefined };
    expect(statsOf(slot(5, { uncounted_events: 0 })).view(NOW, unread).notCounted).toEqual([]);
  });
});

describe('how far the job has come', () => {
  const NONE = { events: 0, undecodable_messages: 0 };

  it('comes from the newest slot with events, and by when it was written', () => {
    expect(new Stats().progress(NOW, undefined)).toEqual({
      countedMillis: undefined,
      handledMillis: undefined,
      countingMillis: undefined,
      progressMillis: undefined,
    });
    const stats = statsOf(slot(20), slot(10, { ...NONE, undecodable_messages: 1 }), slot(5, NONE));
    expect(stats.progress(NOW, undefined)).toEqual({
      countedMillis: NOW - 15_000,
      handledMillis: NOW - 15_000,
      countingMillis: NOW - 15_000,
      progressMillis: NOW,
    });
  });

  it('goes back with a job that counts again from its last checkpoint', () => {
    const stats = statsOf(slot(20), slot(15), slot(10), slot(15, { events: 99 }));
    expect(stats.progress(NOW, undefined).countedMillis).toBe(NOW - 10_000);
    stats.apply(slot(15), NOW);
    stats.apply(slot(10), NOW);
    expect(stats.progress(NOW, undefined).countedMillis).toBe(NOW - 5000);
  });

  it('counts malformed messages in, once the job has read newer ones than it has counted', () => {
    const stats = statsOf(slot(20), slot(10, { ...NONE, undecodable_messages: 1 }));
    expect(stats.progress(NOW, NOW - 15_000).handledMillis).toBe(NOW - 15_000);
    expect(stats.progress(NOW, NOW - 14_999)).toMatchObject({
      countedMillis: NOW - 15_000,
      handledMillis: NOW - 5000,
    });
  });

  it('stays known for longer than the slots', () => {
    const written = { ...slot(3600), timestampMillis: NOW - 3_599_000 };
    expect(statsOf(written).progress(NOW, undefined)).toEqual({
      countedMillis: NOW - 3_595_000,
      handledMillis: NOW - 3_595_000,
      countingMillis: undefined,
      progressMillis: NOW - 3_599_000,
    });
  });

  it('does not go back when the job starts over: what is counted just now is kept apart', () => {
    const before = { ...slot(60), timestampMillis: NOW - 60_000 };
    expect(statsOf(before, slot(7200), slot(7195)).progress(NOW, undefined)).toMatchObject({
      countedMillis: NOW - 55_000,
      countingMillis: NOW - 7_190_000,
    });
  });

  it('comes from a slot ahead of our clock too, which is shown when its time comes near', () => {
    const stats = statsOf(slot(-600));
    expect(stats.progress(NOW, undefined).countedMillis).toBe(NOW + 605_000);
    expect(starts(stats)).toEqual([]);
    expect(starts(stats, NOW + 540_000)).toEqual([-600]);
  });

  it('was no later than now, whatever clock wrote it', () => {
    expect(statsOf({ ...slot(5), timestampMillis: NOW + 9000 }).progress(NOW, undefined).progressMillis).toBe(
      NOW,
    );
  });
});

describe('messages without events', () => {
  const stats = statsOf(slot(15), slot(10), slot(5));
  const view = (readUntilMillis: number | undefined, countedUntilMillis: number | undefined = NOW) =>
    stats.view(NOW, { countedUntilMillis, readUntilMillis });
  const malformed = (...until: Parameters<typeof view>) =>
    view(...until).slots.map((one) => one.undecodableMessages);

  it('are malformed once the job has read all of their slot', () => {
    expect(malformed(undefined)).toEqual([undefined, undefined, undefined]);
    expect(malformed(NOW - 5001)).toEqual([5, undefined, undefined]);
    expect(malformed(NOW - 5000)).toEqual([5, 5, undefined]);
    expect(view(NOW - 10_000)).toMatchObject({
      undecodableShare: 5 / 105,
      totals: { undecodableMessages: 5 },
      notCounted: [{ id: 'malformed', count: 5, minuteShare: 5 / 105 }],
    });
  });

  it('may be events while the job does not keep up: it may count again what it had read', () => {
    const behind = stats.view(NOW, { countedUntilMillis: undefined, readUntilMillis: NOW });
    expect(behind.slots.map((one) => one.undecodableMessages)).toEqual([undefined, undefined, undefined]);
    expect(behind.totals.undecodableMessages).toBe(0);
  });
});

describe('the rate', () => {
  it('is that of the last minute of full slots', () => {
    const minute = Array.from({ length: 20 }, (_, index) => slot(5 * index));
    expect(statsOf(...minute).view(NOW + 2000, all(NOW + 2000)).eventsPerSecond).toBe(20);
  });

  it('is not known while the first slot is being counted', () => {
    expect(statsOf(slot(5)).view(NOW, all(NOW)).eventsPerSecond).toBeUndefined();
  });

  it('waits for a slot to be over, and for its last counts', () => {
    const stats = statsOf(slot(5), slot(0, { events: 900 }));
    expect(stats.view(NOW + 6999, all(NOW + 6999)).eventsPerSecond).toBe(20);
    expect(stats.view(NOW + 7000, all(NOW + 7000)).eventsPerSecond).toBe(100);
  });

  it('counts slots without events, from the first slot on', () => {
    expect(statsOf(slot(40), slot(5)).view(NOW + 2000, all(NOW + 2000)).eventsPerSecond).toBe(5);
    expect(statsOf(slot(40)).view(NOW + 2000, all(NOW + 2000)).eventsPerSecond).toBe(2.5);
  });

  it('is zero when nothing came for a minute, or ever', () => {
    expect(statsOf(slot(120)).view(NOW, all(NOW)).eventsPerSecond).toBe(0);
    expect(new Stats().view(NOW, all(NOW)).eventsPerSecond).toBe(0);
  });
});

describe('shares and crowds', () => {
  it('are those of the last minute, and none without events', () => {
    const stats = statsOf(
      slot(120, { late_events: 100 }),
      slot(10),
      slot(5, { events: 300, active_players: 0 }),
    );
    expect(stats.view(NOW + 2000, all(NOW + 2000))).toMatchObject({
      lateShare: 4 / 400,
      robotShare: 6 / 400,
      uncountedShare: 8 / 400,
      undecodableShare: 10 / 410,
      activePlayers: 6,
      activeTeams: 7,
    });
    expect(new Stats().view(NOW, all(NOW))).toMatchObject({
      lateShare: undefined,
      robotShare: undefined,
      uncountedShare: undefined,
      undecodableShare: undefined,
      activePlayers: undefined,
    });
  });
});
