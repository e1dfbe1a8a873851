import { describe, expect, it } from 'vitest';
import { MOST_DRAWN, RankHistory, type RankSnapshot } from '../../../dashboard/boards/rank-history.ts';
import { describeMovement } from '../../../dashboard/page/movement.ts';
import { createNotCounted } from '../../../dashboard/page/not-counted.ts';
import { formatQuery, parseBoardFilter, parsePageState } from '../../../dashboard/page/page-state.ts';
import { renderNotCounted } from '../../../dashboard/page/render.ts';
import { createFreshness, createTraffic, type Traffic } from '../../../dashboard/page/traffic.ts';
import { countedUntil, type PipelineState } from '../../../dashboard/pipeline-state.ts';
import { isFound } from '../../../dashboard/static/search.js';
import { ScreenDelays } from '../../../dashboard/stats/screen-delays.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { TopicState } from '../../../dashboard/topic-state.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import { boardOf, HOUR, NOW, record, SEASON, season, team, topTeams } from './fixtures.ts';

const rowsOf = (...teams: object[]) => boardOf(topTeams, [season(teams)]).view(NOW).rows;
const [first, second] = rowsOf(team('a', 2), team('b', 1));

describe('a look', () => {
  it('is read from a query and written into one', () => {
    const look = parsePageState({ season: 'last', q: ' Red & "Fox" ', theme: 'dark' }, 'top-teams');
    expect(look).toEqual({ board: 'top-teams', season: 'last', search: 'Red & "Fox"', theme: 'dark' });
    expect(formatQuery(look)).toBe('?season=last&q=Red+%26+%22Fox%22&theme=dark');
  });

  it('is the usual one where the query says nothing, or nonsense', () => {
    const usual = { season: 'this', search: '', theme: 'auto' };
    expect(parsePageState({})).toEqual(usual);
    expect(parsePageState({ season: ['last', 'last'], q: ['a', 'b'], theme: 'pink' })).toEqual(usual);
    expect(formatQuery(parsePageState({}))).toBe('');
  });

  it('is of people alone when the query says so', () => {
    expect(formatQuery(parsePageState({ people: 'true', q: 'a' }))).toBe('?people=true&q=a');
    expect(parseBoardFilter({ people: 'true' })).toEqual({ season: 'this', people: true });
    for (const people of ['false', '', ['true', 'true']])
      expect(parsePageState({ people })).toEqual(parsePageState({}));
  });

  it('has the values of boards by value, by their names', () => {
    const query = {
      'by.countries': 'Côte d’Ivoire & "co"',
      'by.levels': '7',
      'by.none': '',
      'by.two': ['a', 'b'],
    };
    const look = parsePageState(query);
    expect(look.values).toEqual({ countries: 'Côte d’Ivoire & "co"', levels: '7' });
    const written = Object.fromEntries(new URLSearchParams(formatQuery(look)));
    expect(parsePageState(written)).toEqual(look);
    expect(parseBoardFilter(written).values).toEqual(look.values);
  });

  it('has no more values than there can be boards, and none that is longer than a value', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`by.b${i}`, 'x'.repeat(10_000)]));
    const values = Object.values(parsePageState(many).values ?? {});
    expect(values.map(({ length }) => length)).toEqual(Array(16).fill(512));
    expect(parsePageState({ 'by.__proto__': 'x' }).values).toHaveProperty('__proto__');
  });

  it('looks for no more than a name', () => {
    expect(parsePageState({ q: 'x'.repeat(10_000) }).search).toHaveLength(100);
  });

  it('is asked for by a socket in the same words', () => {
    expect(parseBoardFilter({ board: 'top-teams', season: 'last' })).toEqual({
      board: 'top-teams',
      season: 'last',
    });
    expect(parseBoardFilter({ board: ['a', 'b'] })).toEqual({ season: 'this' });
  });
});

describe('a trail', () => {
  const view = (leader: string, start = SEASON) =>
    boardOf(topTeams, [season([team(leader, 1)], start)]).view(NOW);
  const leaderOf = (snapshot: RankSnapshot | undefined) => snapshot?.rows[0]?.id;
  const idOf = (name: string) => rowsOf(team(name, 1))[0]?.id;

  it('remembers how a board stood a minute ago', () => {
    const trail = new RankHistory();
    for (let step = 0; step <= 12; step += 1) trail.record(() => view(`leader-${step}`), NOW + 10_000 * step);
    expect(leaderOf(trail.previous(view('any'), NOW + 120_000))).toBe(idOf('leader-6'));
  });

  it('compares with the first that it saw when that is less than a minute ago', () => {
    const trail = new RankHistory();
    trail.record(() => view('first'), NOW);
    trail.record(() => view('later'), NOW + 30_000);
    expect(leaderOf(trail.previous(view('any'), NOW + 30_000))).toBe(idOf('first'));
  });

  it('remembers the first rows of a large board for long, and all of them for a minute', () => {
    const trail = new RankHistory();
    const teams = Array.from({ length: 1000 }, (_, i) => team(`team-${i}`, 1000 - i));
    const large = boardOf({ ...topTeams, size: 1000 }, [season(teams)]).view(NOW);
    for (let step = 0; step <= 12; step += 1) trail.record(() => large, NOW + 10_000 * step);
    expect(trail.previous(large, NOW + 120_000)?.rows).toHaveLength(1000);
    const old = trail.since(large).filter(({ atMillis }) => atMillis < NOW + 60_000);
    expect(old.map(({ rows }) => rows.length)).toEqual(old.map(() => MOST_DRAWN));
    expect(old.length).toBeGreaterThan(0);
  });

  it('records at whole steps of the clock, whenever it is called', () => {
    const replicas = [0, 4000].map((offset) => {
      const trail = new RankHistory();
      for (let at = NOW + offset; at < NOW + 20_000; at += 500) trail.record(() => view('a'), at);
      return trail.previous(view('a'), NOW + 20_000)?.atMillis;
    });
    expect(replicas).toEqual([NOW, NOW]);
  });

  it('has ninety snapshots of a season at most, of the last minute all', () => {
    const trail = new RankHistory();
    const end = NOW + 3 * HOUR;
    for (let at = NOW; at <= end; at += 10_000) {
      trail.record(() => view('a'), at);
      expect(trail.since(view('a')).length).toBeLessThanOrEqual(90);
      expect(trail.previous(view('a'), at)?.atMillis).toBe(Math.max(NOW, at - 60_000));
    }
    const ages = trail.since(view('a')).map(({ atMillis }) => (end - atMillis) / 1000);
    expect([ages[0], ages.at(-1)]).toEqual([3 * 3600, 0]);
    const gaps = ages.slice(1).map((age, i) => (ages[i] ?? 0) - age);
    expect(new Set(gaps.slice(1, -1))).toEqual(new Set([320]));
  });

  it('has samples of the last ten minutes, every 20 s, however long the season is', () => {
    const trail = new RankHistory();
    for (let at = NOW; at <= NOW + 3 * HOUR; at += 10_000) {
      trail.record(() => view('a'), at);
      const ages = trail.samples(view('a')).map(({ atMillis }) => at - atMillis);
      const newest = at % 20_000;
      const known = Math.min(30, Math.floor((at - NOW) / 20_000));
      expect(ages).toEqual(Array.from({ length: known + 1 }, (_, i) => newest + 20_000 * (known - i)));
    }
  });

  it('forgets a season when the next has begun', () => {
    const trail = new RankHistory();
    trail.record(() => view('a', SEASON - HOUR), NOW);
    trail.record(() => view('a'), NOW + 10_000);
    expect(trail.since(view('a')).map(({ atMillis }) => atMillis)).toEqual([NOW + 10_000]);
    expect(trail.since(view('a', SEASON - HOUR))).toEqual([]);
    trail.record(() => view('a'), NOW + 20_000);
    expect(trail.samples(view('a')).map(({ atMillis }) => atMillis)).toEqual([NOW + 20_000]);
  });

  it('does not compare with another season, nor with nothing', () => {
    const trail = new RankHistory();
    expect(trail.previous(view('any'), NOW)).toBeUndefined();
    trail.record(() => view('last', SEASON - HOUR), NOW);
    expect(trail.previous(view('any'), NOW)).toBeUndefined();
  });
});

describe('movement', () => {
  const aMinuteAgo = (ranks: [string | undefined, number][]) =>
    new Map(ranks.map(([id, rank]) => [String(id), rank]));

  it('is up, down, none, or new', () => {
    const standing = aMinuteAgo([[first?.id, 3]]);
    expect(describeMovement(first!, standing)).toEqual({ kind: 'up', sign: '▲2', words: 'up 2' });
    expect(describeMovement(second!, standing)).toEqual({ kind: 'new', sign: 'new', words: 'new' });
    expect(describeMovement(second!, aMinuteAgo([[second?.id, 1]])).words).toBe('down 1');
    expect(describeMovement(second!, aMinuteAgo([[second?.id, 2]])).kind).toBe('none');
  });

  it('is not told while nobody knows', () => {
    expect(describeMovement(first!, undefined).kind).toBe('none');
  });
});

describe('a search', () => {
  it.each([
    ['team a', true],
    ['TEAM', true],
    ['ｔｅａｍ', true],
    ['b', false],
    ['', false],
  ])('for %j finds Team a: %s', (search, found) => {
    expect(isFound(['a', 'Team a'], search)).toBe(found);
  });
});

describe('the traffic', () => {
  const textsOf = (traffic: Traffic) => traffic.facts.map(({ label, text }) => `${label}: ${text}`);
  const slot = (secondsAgo: number, counts: object) =>
    record(
      { slot_start: NOW - 1000 * secondsAgo },
      {
        ...NO_STATS,
        events: 100,
        robot_events: 10,
        active_players: 6,
        active_teams: 2,
        newest_event_time: NOW - 1000,
        ...counts,
      },
    );
  const counted = (...slots: ReturnType<typeof slot>[]) => {
    const stats = new TopicState(new Stats());
    stats.publish(new Stats());
    for (const one of slots) stats.content.apply(one, NOW);
    return stats;
  };

  const observed = (state: PipelineState) => ({
    kind: state.kind,
    countedUntilMillis: countedUntil(state, NOW + 2000),
    readUntilMillis: NOW + 2000,
  });
  const LIVE = observed({ kind: 'live', untilMillis: NOW + 2000 });

  it.each([
    { kind: 'waiting' },
    { kind: 'unavailable' },
    { kind: 'stalled', progressMillis: NOW },
    { kind: 'behind', countingMillis: NOW },
  ] as const)('says nothing while not all events are counted: %o', (pipeline) => {
    const traffic = createTraffic(counted(slot(5, { late_events: 5 })), observed(pipeline), NOW + 2000, true);
    expect(traffic).toMatchObject({ state: pipeline.kind, rate: '–', spark: undefined });
    expect(textsOf(traffic)).toEqual(['players in 5 s: –', 'teams in 5 s: –', 'robots in 1 min: –']);
  });

  it('has no teams of a game without them', () => {
    const traffic = createTraffic(counted(slot(15, {}), slot(5, {})), LIVE, NOW + 2000, false);
    expect(textsOf(traffic).filter((text) => text.startsWith('teams'))).toEqual([]);
  });

  it('ends with the slots whose events have all been counted', () => {
    const stats = counted(slot(15, {}), slot(10, {}), slot(5, { events: 1 }));
    const until = (untilMillis: number) =>
      createTraffic(stats, observed({ kind: 'live', untilMillis }), NOW + 2000, true).rate;
    expect(until(NOW + 2000)).not.toBe('20');
    expect(until(NOW - 5000)).toBe('20');
  });

  it('draws the rate of full slots, those without events too, and says it in words', () => {
    const traffic = createTraffic(counted(slot(15, {}), slot(5, { events: 50 })), LIVE, NOW + 2000, true);
    expect(traffic).toMatchObject({ state: 'live', rate: '10' });
    expect(traffic.spark).toMatchObject({
      line: 'M0.0 8.0L50.0 100.0L100.0 54.0',
      words: 'Events per second in the last minutes: between 0.0 and 20',
    });
    expect(textsOf(traffic)).toEqual(['players in 5 s: 6', 'teams in 5 s: 2', 'robots in 1 min: 13.3%']);
  });

  it('tells of late, invalid and malformed events when there are any', () => {
    const stats = counted(
      slot(5, { events: 9000, late_events: 90, uncounted_events: 900, undecodable_messages: 1 }),
    );
    expect(textsOf(createTraffic(stats, LIVE, NOW + 2000, true)).slice(3)).toEqual([
      'late in 1 min: 1.0%',
      'invalid in 1 min: 10.0%',
      'malformed in 1 min: <0.1%',
    ]);
  });
});

describe('why events are not counted', () => {
  const stats = new TopicState(new Stats());
  stats.publish(new Stats());
  const counts = {
    events: 9000,
    uncounted_no_user: 1,
    uncounted_no_time: 900,
    example_no_time: 'user_id=<x>',
  };
  stats.content.apply(record({ slot_start: NOW - 5000 }, { ...NO_STATS, ...counts }), NOW);
  const at = (countedUntilMillis: number | undefined) =>
    createNotCounted(stats, { countedUntilMillis, readUntilMillis: undefined }, NOW + 2000);

  it('is on the page with shares and an example, as text', () => {
    const panel = at(NOW + 2000);
    expect(panel.reasons).toEqual([
      { label: 'no time', text: expect.any(String), share: '10.0%', count: '900', example: 'user_id=<x>' },
      { label: 'no user', text: expect.any(String), share: '<0.1%', count: '1', example: undefined },
    ]);
    expect(renderNotCounted(panel)).toContain('<code>user_id&#x3D;&lt;x&gt;</code>');
  });

  it('is hidden while all events count, and while it is not known whether they do', () => {
    const hidden = '<section class="not-counted" id="not-counted" aria-label="Not counted" hidden>';
    expect(renderNotCounted(at(undefined))).toContain(hidden);
    const none = createNotCounted(
      new TopicState(new Stats()),
      { countedUntilMillis: NOW, readUntilMillis: NOW },
      NOW,
    );
    expect(renderNotCounted(none)).toContain(hidden);
  });
});

describe('the freshness', () => {
  it('has the median of what was measured on the boards, and nothing once that was too long ago', () => {
    const stats = new TopicState(new Stats());
    const delays = new ScreenDelays();
    expect(createFreshness(stats, delays, NOW)).toEqual({ newest: undefined, delay: '–', stale: false });
    delays.note([700, 600, 9000], NOW);
    expect(createFreshness(stats, delays, NOW + 60_000).delay).toBe('0.7 s');
    expect(createFreshness(stats, delays, NOW + 60_001).delay).toBe('–');
  });
});

describe('how long events take to the screens', () => {
  it('comes from the events of the last minute', () => {
    const delays = new ScreenDelays();
    delays.note([60_000], NOW);
    for (let tick = 1; tick <= 99; tick += 1) delays.note([tick], NOW + 1000);
    expect(delays.view(NOW + 1000)).toEqual({ medianMillis: 50, p99Millis: 99 });
    expect(delays.view(NOW + 60_001)).toEqual({ medianMillis: 50, p99Millis: 98 });
    expect(delays.view(NOW + 61_001)).toBeUndefined();
  });

  it('keeps a bounded number of them, evenly', () => {
    const delays = new ScreenDelays();
    delays.note(
      Array.from({ length: 100_000 }, (_, index) => index),
      NOW,
    );
    expect(delays.view(NOW)).toEqual({ medianMillis: 49_000, p99Millis: 98_000 });
  });
});
