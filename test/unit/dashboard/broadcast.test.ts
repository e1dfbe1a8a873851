import { describe, expect, it } from 'vitest';
import type { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import type { BoardFilter } from '../../../dashboard/page/page-state.ts';
import { type PipelineFacts, PipelineMonitor } from '../../../dashboard/pipeline-state.ts';
import { ScreenDelays } from '../../../dashboard/stats/screen-delays.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { TopicState } from '../../../dashboard/topic-state.ts';
import { Broadcast, type Viewer } from '../../../dashboard/web/broadcast.ts';
import { FragmentCache } from '../../../dashboard/web/fragments.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import { NO_STATS } from '../../../testkit/dashboard/stats.ts';
import {
  boardOf,
  countries,
  HOUR,
  instant,
  liveBoardOf,
  NOW,
  ofValue,
  peopleTeams,
  player,
  record,
  SEASON,
  season,
  streakers,
  team,
  topTeams,
} from './fixtures.ts';

class RecordingViewer implements Viewer {
  bufferedAmount = 0;
  readonly frames: Buffer[] = [];

  send(frame: Buffer): void {
    this.frames.push(frame);
  }

  /** Which parts that are no boards each frame carried. */
  get others(): string[][] {
    return this.frames.map((frame) =>
      [...frame.toString().matchAll(/hx-target="#(?!board-)([a-z-]+)"/g)].map((m) => m[1] ?? ''),
    );
  }

  /** Which boards each frame carried. */
  get boards(): string[][] {
    return this.frames.map((frame) =>
      [...frame.toString().matchAll(/hx-target="#board-([a-z-]+)"/g)].map((m) => m[1] ?? ''),
    );
  }
}

function setUp(more: LiveBoard[] = []) {
  const teams = boardOf(topTeams, [season([team('a', 1)])]);
  const boards = [liveBoardOf(topTeams, []), liveBoardOf(streakers, []), ...more];
  boards[0]?.publish(teams);
  const clock = { now: NOW };
  const now = () => clock.now;
  const metrics = new Metrics(boards, now);
  const stats = new TopicState(new Stats());
  const facts: PipelineFacts = {
    available: true,
    countsKnown: true,
    handledMillis: NOW,
    countingMillis: undefined,
    progressMillis: NOW,
    isReplaced: false,
    uncountedSince: undefined,
    readUntilMillis: undefined,
  };
  const pipeline = new PipelineMonitor(() => facts);
  const delays = new ScreenDelays();
  const fragments = new FragmentCache({
    boards,
    stats,
    delays,
    pipeline,
    advice: { stalled: '', replaced: '' },
    metrics,
    now,
  });
  const broadcast = new Broadcast({ fragments, metrics, release: 'r1', now });
  const join = (view: Partial<BoardFilter> = {}) => {
    const viewer = new RecordingViewer();
    broadcast.add(viewer, { season: 'this', ...view });
    return viewer;
  };
  return { teams, boards, stats, delays, clock, facts, metrics, broadcast, join };
}

describe('the broadcast', () => {
  it('sends a full snapshot to every newcomer', () => {
    const { join } = setUp();
    expect(join().boards).toEqual([['top-teams', 'hot-streakers']]);
    expect(join().boards).toEqual([['top-teams', 'hot-streakers']]);
  });

  it('sends of two boards that differ by robots the one that is asked for', () => {
    const people = liveBoardOf(peopleTeams, [season([team('p', 1)])]);
    const { broadcast, join, teams } = setUp([people]);
    const [all, ofPeople] = [join(), join({ people: true })];
    expect(all.boards).toEqual([['top-teams', 'hot-streakers']]);
    expect(ofPeople.boards).toEqual([['teams-of-people', 'hot-streakers']]);
    teams.apply(season([team('b', 2)]), NOW);
    broadcast.tick();
    expect([all, ofPeople].map(({ boards }) => boards[1])).toEqual([['top-teams'], undefined]);
  });

  it('sends nothing while nothing changes', () => {
    const { broadcast, join } = setUp();
    const viewer = join();
    broadcast.tick();
    expect(viewer.frames).toHaveLength(1);
  });

  it('sends only the board that changed, the same bytes to all', () => {
    const { broadcast, join, teams } = setUp();
    const viewers = [join(), join()];
    teams.apply(season([team('b', 2)]), NOW);
    broadcast.tick();
    const [one, two] = viewers.map((viewer) => viewer.frames[1]);
    expect(viewers[0]?.boards[1]).toEqual(['top-teams']);
    expect(one?.toString()).toContain('Team b');
    expect(one).toBe(two);
  });

  it('lets a newcomer join between ticks without hiding the change from the others', () => {
    const { broadcast, join, teams } = setUp();
    const first = join();
    teams.apply(season([team('b', 2)]), NOW);
    const second = join();
    broadcast.tick();
    expect(first.frames.at(-1)?.toString()).toContain('Team b');
    expect(second.frames.at(-1)?.toString()).toContain('Team b');
  });

  it('sends a board whose season ends, and one whose Kafka goes away', () => {
    const { broadcast, boards, clock, join } = setUp();
    const viewer = join();
    clock.now += HOUR;
    broadcast.tick();
    boards[1]?.markUnavailable('gone');
    broadcast.tick();
    expect(viewer.boards.slice(1)).toEqual([['top-teams'], ['hot-streakers']]);
  });

  it('sends who looks at one board that board alone', () => {
    const { broadcast, boards, teams, join } = setUp();
    const viewer = join({ board: 'hot-streakers' });
    teams.apply(season([team('b', 2)]), NOW);
    broadcast.tick();
    boards[1]?.markUnavailable('gone');
    broadcast.tick();
    expect(viewer.boards).toEqual([['hot-streakers'], ['hot-streakers']]);
  });

  it('sends who looks at one board, and at its newest season, how its places changed', () => {
    const { broadcast, clock, join } = setUp();
    broadcast.tick();
    const viewer = join({ board: 'top-teams' });
    const others = [join(), join({ board: 'top-teams', season: 'last' }), join({ board: 'hot-streakers' })];
    const charts = ({ others: parts }: RecordingViewer) =>
      parts.filter((one) => one.includes('ranks-top-teams'));
    expect(viewer.frames[0]?.toString()).toMatch(/<section[^>]* id="ranks-top-teams"[^>]* hidden>/);
    clock.now += 10_000;
    broadcast.tick();
    clock.now += 500;
    broadcast.tick();
    expect(charts(viewer)).toHaveLength(2);
    expect(viewer.frames[1]?.toString()).toMatch(/id="ranks-top-teams".*<path/s);
    expect(others.flatMap(charts)).toEqual([]);
  });

  it('sends who looks at the last season that season, and only its changes', () => {
    const { broadcast, teams, join } = setUp();
    const viewer = join({ season: 'last' });
    teams.apply(season([team('b', 2)]), NOW);
    broadcast.tick();
    expect(viewer.frames).toHaveLength(1);
    teams.apply(season([team('late', 2)], SEASON - HOUR), NOW);
    broadcast.tick();
    expect(viewer.boards[1]).toEqual(['top-teams']);
    expect(viewer.frames[1]?.toString()).toContain('Team late');
  });

  it('sends the header when the counts change', () => {
    const { broadcast, stats, join } = setUp();
    const viewer = join();
    const counts = { ...NO_STATS, events: 1, newest_event_time: NOW };
    stats.publish(new Stats());
    stats.content.apply(record({ slot_start: NOW - 10_000 }, counts), NOW);
    broadcast.tick();
    expect(viewer.others[1]).toEqual(['traffic', 'clock']);
    expect(viewer.boards[1]).toEqual([]);
  });

  it('sends the status of the pipeline when that changes, and boards that say something else by it', () => {
    const { broadcast, boards, facts, join } = setUp();
    boards[1]?.content.apply(instant([player('a')]), NOW);
    const viewer = join();
    facts.uncountedSince = NOW - 60_000;
    facts.progressMillis = NOW - 60_000;
    broadcast.tick();
    expect(viewer.others[1]).toEqual(['status', 'traffic', 'clock']);
    expect(viewer.frames[1]?.toString()).toContain('data-label="not counting"');
  });

  it('measures how old events are when their rows go to the screens', async () => {
    const { broadcast, boards, delays, metrics, clock } = setUp();
    boards[0]?.noteArrivals([NOW - 400, NOW - 300]);
    boards[1]?.noteArrivals([NOW + 9000]);
    clock.now += 100;
    broadcast.tick();
    expect(delays.view(clock.now)).toEqual({ medianMillis: 400, p99Millis: 400 });
    broadcast.tick();
    const text = await metrics.registry.getSingleMetricAsString('dashboard_event_to_screen_seconds');
    expect(text).toMatch(/_sum 0.9\n.*_count 3$/s);
  });

  it('sends who looks at the last season the boards that have seasons', () => {
    expect(setUp().join({ season: 'last' }).boards).toEqual([['top-teams']]);
    expect(setUp().join({ season: 'last', board: 'hot-streakers' }).boards).toEqual([['hot-streakers']]);
  });

  it('tells after a minute who moved', () => {
    const { broadcast, clock, teams, join } = setUp();
    teams.apply(season([team('a', 1), team('b', 1)]), NOW);
    broadcast.tick();
    const viewer = join();
    clock.now += 30_000;
    teams.apply(season([team('b', 2), team('a', 1)]), clock.now);
    broadcast.tick();
    expect(viewer.frames[1]?.toString()).toMatch(/▲1.*Team b.*▼1.*Team a/s);
  });

  it('queues nothing for a slow reader, and gives it everything once it has caught up', () => {
    const { broadcast, join, teams } = setUp();
    const slow = join();
    slow.bufferedAmount = 1_000_000;
    for (const id of ['b', 'c', 'd']) {
      teams.apply(season([team(id, 2)]), NOW);
      broadcast.tick();
    }
    expect(slow.frames).toHaveLength(1);
    slow.bufferedAmount = 0;
    broadcast.tick();
    broadcast.tick();
    expect(slow.boards.slice(1)).toEqual([['top-teams', 'hot-streakers']]);
    expect(slow.frames[1]?.toString()).toContain('Team d');
  });

  it('forgets who leaves', () => {
    const { broadcast, join, teams } = setUp();
    const viewer = join();
    broadcast.remove(viewer);
    teams.apply(season([team('b', 2)]), NOW);
    broadcast.tick();
    expect(viewer.frames).toHaveLength(1);
  });
});

describe('of boards by value, the broadcast', () => {
  const setUpCountries = () => {
    const live = liveBoardOf(
      countries,
      ['NO', 'SE'].map((value) => ofValue(value, [team(value, 1)])),
    );
    return { live, ...setUp([live]) };
  };
  const of = (value: string) => ({ board: 'countries', values: { countries: value } });
  const last = ({ frames }: RecordingViewer) => frames.at(-1)?.toString() ?? '';

  it('sends to each viewer the value that it looks at, and to no other', () => {
    const { live, broadcast, join } = setUpCountries();
    const [norway, sweden, first] = [join(of('NO')), join(of('SE')), join({ board: 'countries' })];
    expect([norway, sweden, first].map((viewer) => /Team \w+/.exec(last(viewer!))?.[0])).toEqual([
      'Team NO',
      'Team SE',
      'Team NO',
    ]);
    live.content.apply(ofValue('SE', [team('new', 5)]), NOW);
    broadcast.tick();
    expect([norway, sweden, first].map((viewer) => viewer!.frames.length)).toEqual([1, 2, 1]);
    expect(last(sweden!)).toContain('Team new');
  });

  it('sends a board once its value is kept, and says when it no longer is', () => {
    const { live, broadcast, join } = setUpCountries();
    const viewer = join(of('DK'));
    expect(last(viewer)).toContain('This value has no scores');
    live.content.apply(ofValue('DK', [team('dane', 5)]), NOW);
    broadcast.tick();
    expect(last(viewer)).toContain('Team dane');
    for (const value of ['A', 'B', 'C']) live.content.apply(ofValue(value, [team(value, 1)]), NOW);
    broadcast.tick();
    expect(last(viewer)).toContain('Nothing is kept of this value');
    expect(last(viewer)).not.toContain('Team dane');
  });

  it('sends all of a value to who looks at the first, when another one comes to be that', () => {
    const { live, broadcast, join } = setUpCountries();
    join(of('AT'));
    const viewer = join({ board: 'countries' });
    live.content.apply(ofValue('AT', [team('austrian', 5)]), NOW);
    broadcast.tick();
    expect(last(viewer)).toMatch(/<bdi>AT<\/bdi>.*Team austrian/s);
  });

  it('brings up to date who returns to a value that changed while nobody looked', () => {
    const { live, broadcast, join } = setUpCountries();
    broadcast.remove(join(of('SE')));
    broadcast.tick();
    live.content.apply(ofValue('SE', [team('meanwhile', 5)]), NOW);
    broadcast.tick();
    const viewer = join(of('SE'));
    expect(last(viewer)).toContain('Team meanwhile');
    broadcast.tick();
    expect(viewer.frames).toHaveLength(1);
  });
});
