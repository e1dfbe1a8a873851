import type { BoardDefinition } from '../../contract/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { RankSnapshot } from '../boards/rank-history.ts';
import type { Row } from '../boards/record.ts';
import { type Timestamp, timestamp } from './format.ts';
import { nameOf } from './panel.ts';
import type { TeamColor, TeamColors } from './team-color.ts';

/*
 * How the places of a board have changed in its season: a bump chart, a line for each of the first ten. It
 * goes to the last snapshot, and says so.
 */

export interface RankChart {
  /** The element id. */
  id: string;
  /** Undefined while there is nothing to compare. */
  chart: { places: number; first: ChartSide; last: ChartSide; lines: ChartLine[] } | undefined;
}

/** One end of the lines. */
export interface ChartSide {
  at: Timestamp;
  /** Those who stood there, by place. */
  holders: { name: string; color: TeamColor | undefined }[];
}

export interface ChartLine {
  color: TeamColor | undefined;
  /** An SVG path in a box that is 100 wide, and one high for each place. */
  path: string;
}

const MOST_PLACES = 10;

/** @param now epoch milliseconds */
export function createRankChart(board: LiveBoard, now: number, colors: TeamColors): RankChart {
  const { definition } = board;
  const snapshots = board.snapshots(now);
  const [first, last] = [snapshots[0], snapshots.at(-1)];
  return {
    id: `ranks-${definition.name}`,
    chart:
      first && last && first !== last ? drawChart(definition, snapshots, first, last, colors) : undefined,
  };
}

function drawChart(
  definition: BoardDefinition,
  snapshots: readonly RankSnapshot[],
  first: RankSnapshot,
  last: RankSnapshot,
  colors: TeamColors,
): RankChart['chart'] {
  const drawn = last.rows.slice(0, MOST_PLACES);
  return {
    places: drawn.length,
    first: chartSide(definition, first, timestamp(first.atMillis, 'minute'), drawn, colors),
    last: chartSide(definition, last, timestamp(last.atMillis, 'second'), drawn, colors),
    lines: drawn.map((row) => ({
      color: colors.of(definition, row),
      path: drawPath(row.id, snapshots, first.atMillis, last.atMillis),
    })),
  };
}

/** Those who have no line are not colored. */
function chartSide(
  definition: BoardDefinition,
  { rows }: RankSnapshot,
  at: Timestamp,
  drawn: readonly Row[],
  colors: TeamColors,
): ChartSide {
  const hasLine = new Set(drawn.map(({ id }) => id));
  const holders = rows.slice(0, drawn.length).map((row) => ({
    name: nameOf(definition, row),
    color: hasLine.has(row.id) ? colors.of(definition, row) : undefined,
  }));
  return { at, holders };
}

/** Level while the place stays the same, and a curve where it changes; with gaps where there was none. */
function drawPath(
  id: string,
  snapshots: readonly RankSnapshot[],
  fromMillis: number,
  toMillis: number,
): string {
  const commands: string[] = [];
  let before: { x: number; y: number } | undefined;
  for (const { atMillis, rows } of snapshots) {
    const place = rows.findIndex((row) => row.id === id);
    if (place < 0) {
      before = undefined;
      continue;
    }
    const x = (100 * (atMillis - fromMillis)) / (toMillis - fromMillis);
    const y = place + 0.5;
    const end = x.toFixed(1);
    if (!before) commands.push(`M${end} ${y}`);
    else if (before.y === y) {
      if (commands.at(-1)?.startsWith('H')) commands.pop();
      commands.push(`H${end}`);
    } else {
      const middle = ((before.x + x) / 2).toFixed(1);
      commands.push(`C${middle} ${before.y} ${middle} ${y} ${end} ${y}`);
    }
    before = { x, y };
  }
  return commands.join('');
}
