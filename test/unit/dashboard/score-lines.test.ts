import { describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import type { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { createPanel } from '../../../dashboard/page/panel.ts';
import { renderBoard } from '../../../dashboard/page/render.ts';
import { TeamColors } from '../../../dashboard/page/team-color.ts';
import {
  countries,
  HOUR,
  instant,
  liveBoardOf,
  NOW,
  ofValue,
  player,
  SEASON,
  season,
  streakers,
  TOP_TEAMS_JSON,
  team,
} from './fixtures.ts';

const topTeams = boardDefinition.parse({ ...TOP_TEAMS_JSON, size: 10 });

type Scores = Record<string, number>;

function show(board: LiveBoard, scores: Scores, seasonMillis = SEASON, now = NOW): void {
  const rows = Object.entries(scores).map(([name, score]) => team(name, score));
  const content = new Board(board.definition);
  content.apply(season(rows, seasonMillis, now), now);
  board.publish(content);
}

/** A board that had these scores, one after the other every 20 s; undefined: it could not be read. */
function boardOf(...scores: (Scores | undefined)[]): LiveBoard {
  const board = liveBoardOf(topTeams, []);
  scores.forEach((one, step) => {
    if (one) show(board, one);
    else board.markUnavailable('gone');
    board.note(NOW + 20_000 * step);
  });
  return board;
}

function linesOf(board: LiveBoard, now = NOW): Record<string, string> {
  const panel = createPanel(board, {
    season: 'this',
    now,
    pipeline: 'live',
    colors: new TeamColors([board], () => now),
  });
  return Object.fromEntries(panel.rows.map(({ who, line }) => [String(who[0]).replace('Team ', ''), line]));
}

describe('the line of a score', () => {
  it('is drawn from the second sample on', () => {
    expect(linesOf(boardOf({ a: 1 }))).toEqual({ a: '' });
    const board = boardOf({ a: 1 }, { a: 2 });
    expect(linesOf(board)).toEqual({ a: 'M58 16l2-16' });
    const drawn = board.version(NOW, 'this');
    board.note(NOW + 40_000);
    expect(board.version(NOW, 'this')).not.toBe(drawn);
  });

  it('begins where the samples begin, and ends ten minutes later', () => {
    const steps = Array.from({ length: 100 }, (_, step) => ({ a: step * step }));
    expect(linesOf(boardOf(...steps.slice(0, 11))).a).toMatch(/^M40 16l/);
    expect(linesOf(boardOf(...steps)).a).toMatch(/^M0 16l/);
  });

  it('has the scale of all rows, and leaves out what is on the straight', () => {
    const board = boardOf({ a: 100, b: 10 }, { a: 104, b: 18 }, { a: 108, b: 26 });
    expect(linesOf(board)).toEqual({ a: 'M56 16l4-8', b: 'M56 16l4-16' });
  });

  it('rises and falls, and is level where nothing changes', () => {
    const board = boardOf({ a: 16, b: 1 }, { a: 0, b: 1 }, { a: 0, b: 1 }, { a: 8, b: 1 });
    expect(linesOf(board)).toEqual({ a: 'M54 0l2 16 2 0 2-8', b: 'M54 16l6 0' });
  });

  it('has a gap where a row was on no place, or the board could not be read', () => {
    const absent = boardOf({ a: 0, b: 9 }, { a: 1, b: 9 }, { b: 9 }, { a: 3, b: 9 }, { a: 4, b: 9 });
    expect(linesOf(absent).a).toBe('M52 16l2-4M58 4l2-4');
    const unread = boardOf({ a: 0 }, { a: 1 }, undefined, undefined, { a: 3 }, { a: 4 });
    expect(linesOf(unread).a).toBe('M50 16l2-4M58 4l2-4');
  });

  it('is not drawn of rows that came after the last sample, nor of the season before', () => {
    const board = boardOf({ a: 1 }, { a: 2 });
    show(board, { a: 2, b: 1 });
    expect(linesOf(board)).toEqual({ a: 'M58 16l2-16', b: '' });
    const now = NOW + HOUR;
    show(board, { a: 7 }, SEASON + HOUR, now);
    expect(linesOf(board, now)).toEqual({ a: '' });
    board.note(now);
    show(board, { a: 9 }, SEASON + HOUR, now);
    board.note(now + 20_000);
    expect(linesOf(board, now)).toEqual({ a: 'M58 16l2-16' });
  });

  it('is a line also of the largest and the least numbers', () => {
    const board = boardOf({ a: -1.7e308, b: 0 }, { a: 1.7e308, b: 5e-324 });
    expect(linesOf(board)).toEqual({ a: 'M58 16l2-16', b: 'M58 16l2 0' });
  });

  it('has a column on boards of seasons, of the season that runs, without values', () => {
    const has = (board: LiveBoard, which: 'this' | 'last' = 'this') => {
      const colors = new TeamColors([board], () => NOW);
      const panel = createPanel(board, { season: which, now: NOW, pipeline: 'live', colors });
      return renderBoard(panel).includes('class="course"');
    };
    const both = [season([team('a', 1)]), season([team('a', 1)], SEASON - HOUR)];
    expect(has(liveBoardOf(topTeams, both))).toBe(true);
    expect(has(liveBoardOf(topTeams, both), 'last')).toBe(false);
    expect(has(liveBoardOf(streakers, [instant([player('p')])]))).toBe(false);
    expect(has(liveBoardOf(countries, [ofValue('SE', [team('a', 1)])]))).toBe(false);
  });
});
