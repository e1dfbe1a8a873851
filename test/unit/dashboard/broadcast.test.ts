import { describe, expect, it } from 'vitest';
import { Broadcast, type Viewer } from '../../../dashboard/web/broadcast.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import { boardOf, HOUR, liveBoardOf, NOW, streakers, team, topTeams } from './fixtures.ts';

class RecordingViewer implements Viewer {
  bufferedAmount = 0;
  readonly frames: Buffer[] = [];

  send(frame: Buffer): void {
    this.frames.push(frame);
  }

  /** Which boards each frame carried. */
  get boards(): string[][] {
    return this.frames.map((frame) =>
      [...frame.toString().matchAll(/hx-target="#board-([a-z-]+)"/g)].map((m) => m[1] ?? ''),
    );
  }
}

function setUp() {
  const teams = boardOf(topTeams, [team(1, 'a', 1)]);
  const boards = [liveBoardOf(topTeams, []), liveBoardOf(streakers, [])];
  boards[0]?.publish(teams);
  const clock = { now: NOW };
  const now = () => clock.now;
  const broadcast = new Broadcast(boards, new Metrics(boards, now), now);
  const join = () => {
    const viewer = new RecordingViewer();
    broadcast.add(viewer);
    return viewer;
  };
  return { teams, boards, clock, broadcast, join };
}

describe('the broadcast', () => {
  it('sends a full snapshot to whoever comes', () => {
    const { join } = setUp();
    expect(join().boards).toEqual([['top-teams', 'hot-streakers']]);
    expect(join().boards).toEqual([['top-teams', 'hot-streakers']]);
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
    teams.apply(team(1, 'b', 2), NOW);
    broadcast.tick();
    const [one, two] = viewers.map((viewer) => viewer.frames[1]);
    expect(viewers[0]?.boards[1]).toEqual(['top-teams']);
    expect(one?.toString()).toContain('Team b');
    expect(one).toBe(two);
  });

  it('lets a newcomer join between ticks without hiding the change from the others', () => {
    const { broadcast, join, teams } = setUp();
    const first = join();
    teams.apply(team(1, 'b', 2), NOW);
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
    boards[1]?.interrupt('gone');
    broadcast.tick();
    expect(viewer.boards.slice(1)).toEqual([['top-teams'], ['hot-streakers']]);
  });

  it('queues nothing for a slow reader, and gives it everything once it has caught up', () => {
    const { broadcast, join, teams } = setUp();
    const slow = join();
    slow.bufferedAmount = 1_000_000;
    for (const id of ['b', 'c', 'd']) {
      teams.apply(team(1, id, 2), NOW);
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
    teams.apply(team(1, 'b', 2), NOW);
    broadcast.tick();
    expect(viewer.frames).toHaveLength(1);
  });
});
