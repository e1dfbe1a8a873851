import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BoardDefinition, boardDefinition } from '../../../contract/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import type { Row } from '../../../dashboard/boards/record.ts';
import { PALETTE, type TeamColor, TeamColors } from '../../../dashboard/page/team-color.ts';

const NOW = 1_763_841_120_000;

const definition = (columns: BoardDefinition['columns']): BoardDefinition =>
  boardDefinition.parse({
    name: 'top',
    title: 'Top',
    topic: 'arcade-top',
    digest: 'd',
    size: 1000,
    identity: [columns[0]?.name],
    columns,
  });
const teams = definition([{ name: 'team_name', label: 'Team', type: 'text' }]);
const players = definition([
  { name: 'user_id', label: 'Player', type: 'text' },
  { name: 'team_name', label: 'Team', type: 'text' },
]);
const scores = definition([{ name: 'total_score', label: 'Score', type: 'integer' }]);

/** Shows these teams on a board, best first. */
function show(board: LiveBoard, names: string[]): LiveBoard {
  const rows = names.map((team_name, index) => ({ rnk: index + 1, user_id: `u${index}`, team_name }));
  const json = (content: object) => Buffer.from(JSON.stringify(content));
  const key = json({ season_start: 0 });
  const value = json({ digest: board.definition.digest, rows });
  expect(board.content.apply({ key, value, timestampMillis: NOW }, NOW)).toBe('applied');
  return board;
}

const rowOf = (team: string): Row => show(new LiveBoard(teams), [team]).view(NOW).rows[0] as Row;
const colorOf = (colors: TeamColors, team: string) => colors.of(teams, rowOf(team)) as TeamColor;
const colorsOf = (names: string[]) => {
  const colors = new TeamColors([show(new LiveBoard(teams), names)], () => NOW);
  return names.map((name) => colorOf(colors, name));
};
const distinct = (colors: TeamColor[]) => new Set(colors.map(({ hue, shade }) => `${hue} ${shade}`)).size;
const numbered = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

describe('a team’s color', () => {
  it('is the same on every board, at every rank', () => {
    const boards = [
      show(new LiveBoard(teams), ['Foxes', 'Owls']),
      show(new LiveBoard(players), ['Owls', 'Foxes']),
    ];
    const colors = new TeamColors(boards, () => NOW);
    const [onTeams, onPlayers] = boards.map((board) =>
      board.view(NOW).rows.map((row) => colors.of(board.definition, row)),
    );
    expect(onPlayers).toEqual(onTeams?.toReversed());
    expect(onTeams?.[0]).not.toEqual(onTeams?.[1]);
  });

  it('is that of no other shown team', () => {
    expect(distinct(colorsOf(numbered(90, 'Team')))).toBe(90);
    const named = ['Green', 'Blue', 'Gold', 'Grey'].flatMap((color) => numbered(5, color));
    expect(distinct(colorsOf(named))).toBe(20);
  });

  it.each([
    ['Green Whale', ['green', 'mint', 'lime']],
    ['Sky Blue Bee', ['sky', 'blue']],
    ['Mint Green Dolphin', ['mint', 'green']],
    ['INDIGO', ['indigo', 'violet']],
    ['The Red Devils', ['red']],
    ['Bluebirds', ['blue', 'sky']],
    ['team_yellow', ['yellow', 'amber']],
    ['White Polar Bear', ['gray', 'warm-gray', 'cool-gray']],
  ])('agrees with the color that is in the name %s', (name, hues) => {
    const shown = numbered(40, 'Team');
    expect(hues).toContain(colorsOf([name])[0]?.hue);
    expect(hues).toContain(colorsOf([...shown, name]).at(-1)?.hue);
  });

  it('stays while others come and go, and while the team itself is away', () => {
    const board = show(new LiveBoard(teams), ['Red Foxes', 'Owls']);
    const colors = new TeamColors([board], () => NOW);
    const before = ['Red Foxes', 'Owls'].map((name) => colorOf(colors, name));
    for (let turn = 0; turn < 8; turn += 1) {
      const others = numbered(20, `Guests ${turn}`);
      show(board, ['Owls', ...others]);
      for (const name of others) colorOf(colors, name);
    }
    show(board, ['Owls', 'Red Foxes']);
    expect(['Red Foxes', 'Owls'].map((name) => colorOf(colors, name))).toEqual(before);
  });

  it('is the same on replicas that saw the teams in another order, unless two would have the same', () => {
    const names = ['Otters', 'Herons', 'Lynxes', 'Wolves', 'Ravens', 'Badgers', 'Eagles'];
    const late = new LiveBoard(teams);
    const colors = new TeamColors([late], () => NOW);
    for (let count = 1; count <= names.length; count += 1) {
      show(late, names.slice(-count));
      colorOf(colors, names.at(-count) ?? '');
    }
    expect(names.map((name) => colorOf(colors, name))).toEqual(colorsOf(names));
  });

  it('is shared where there are more teams than colors', () => {
    const colors = colorsOf(numbered(400, 'Team'));
    expect(distinct(colors)).toBe(PALETTE.length);
  });

  it('is none on a board without teams', () => {
    const colors = new TeamColors([], () => NOW);
    expect(colors.of(scores, rowOf('Foxes'))).toBeUndefined();
  });

  it('is one of the style sheet’s', () => {
    const css = readFileSync(new URL('../../../dashboard/static/dashboard.css', import.meta.url), 'utf8');
    for (const { hue } of PALETTE) expect(css).toContain(`[data-hue="${hue}"]`);
  });
});
