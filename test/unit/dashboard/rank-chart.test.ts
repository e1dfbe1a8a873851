import { describe, expect, it } from 'vitest';
import { createRankChart } from '../../../dashboard/page/rank-chart.ts';
import { TeamColors } from '../../../dashboard/page/team-color.ts';
import { boardOf, liveBoardOf, NOW, season, team, topTeams } from './fixtures.ts';

/** The chart of a board that had these teams, best first, every ten seconds. */
function chartOf(...standings: string[][]) {
  const board = liveBoardOf(topTeams, []);
  standings.forEach((names, step) => {
    const rows = names.map((name, index) => team(name, 100 - index));
    board.publish(boardOf(topTeams, [season(rows)]));
    board.note(NOW + 10_000 * step);
  });
  return createRankChart(board, NOW, new TeamColors([board], () => NOW)).chart;
}

describe('the chart of places', () => {
  it('is not there before there are two standings', () => {
    expect(chartOf(['a', 'b'])).toBeUndefined();
    expect(chartOf(['a', 'b'], ['a', 'b'])).toBeDefined();
  });

  it('has a line for each that has a place now, level where it kept it', () => {
    const chart = chartOf(
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['b', 'a', 'c'],
      ['b', 'a', 'c'],
    );
    expect(chart?.lines.map(({ path }) => path)).toEqual([
      'M0.0 1.5H50.0C62.5 1.5 62.5 0.5 75.0 0.5H100.0',
      'M0.0 0.5H50.0C62.5 0.5 62.5 1.5 75.0 1.5H100.0',
      'M0.0 2.5H100.0',
    ]);
  });

  it('has a gap where one had no place, and names those who have none any more, without a color', () => {
    const chart = chartOf(['a', 'b'], ['a', 'c'], ['b', 'a'], ['b', 'a']);
    expect(chart?.lines[0]?.path).toBe('M0.0 1.5M66.7 0.5H100.0');
    const gone = chartOf(['a', 'b'], ['a', 'c']);
    expect(gone?.first.holders.map(({ name, color }) => [name, color !== undefined])).toEqual([
      ['Team a', true],
      ['Team b', false],
    ]);
    expect(gone?.last.holders.map(({ name }) => name)).toEqual(['Team a', 'Team c']);
  });

  it('says from when to when it goes', () => {
    const chart = chartOf(['a'], ['a'], ['a']);
    expect([chart?.first.at.millis, chart?.last.at.millis]).toEqual([NOW, NOW + 20_000]);
  });
});
