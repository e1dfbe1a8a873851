import type { BoardDefinition } from '../../contract/board.ts';
import { type RankSnapshot, SAMPLE_MILLIS, SAMPLED_MILLIS } from '../boards/rank-history.ts';
import type { Row } from '../boards/record.ts';

/*
 * How the scores of a board's rows went in the last ten minutes, a line each. All have one scale, and each
 * begins at the bottom with its lowest: the steepest is that of who gained most. A line joins the moments at
 * which the board was seen, and has gaps where it was not. Every frame carries the lines, so they are coarse.
 */

/** The box of a line: 2 for each sample, and as high as is seen in a row. */
const WIDTH = 60;
const HEIGHT = 16;
const SAMPLE_WIDTH = (WIDTH * SAMPLE_MILLIS) / SAMPLED_MILLIS;
/** Less is not seen. */
const TOLERANCE = 0.6;

interface Point {
  x: number;
  y: number;
}

/**
 * The lines of these rows as SVG paths in a box of 60 by 16, by the rows' ids; none of those that were seen
 * less than twice.
 *
 * @param samples the oldest first
 */
export function drawScoreLines(
  { bar = '' }: BoardDefinition,
  rows: readonly Row[],
  samples: readonly RankSnapshot[],
): ReadonlyMap<string, string> {
  const endMillis = samples.at(-1)?.atMillis ?? 0;
  const scores = new Map<string, Point[]>(rows.map(({ id }) => [id, []]));
  for (const { atMillis, rows: seen } of samples) {
    const x = WIDTH - SAMPLE_WIDTH * ((endMillis - atMillis) / SAMPLE_MILLIS);
    for (const { id, values } of seen) {
      const points = scores.get(id);
      const score = values.get(bar);
      // A query may rank one holder twice. Halved, because the whole range may be no number any more.
      if (typeof score === 'number' && points?.at(-1)?.x !== x) points?.push({ x, y: score / 2 });
    }
  }
  const ranges = [...scores.values()].map((points) => measureHeight(points));
  const largest = Math.max(...ranges, Number.MIN_VALUE);
  return new Map([...scores].map(([id, points]) => [id, drawLine(points, largest)]));
}

function measureHeight(points: readonly Point[]): number {
  const heights = points.map(({ y }) => y);
  return Math.max(...heights) - Math.min(...heights);
}

function drawLine(points: readonly Point[], largest: number): string {
  const lowest = Math.min(...points.map(({ y }) => y));
  const runs: Point[][] = [];
  for (const { x, y } of points) {
    const point = { x, y: HEIGHT - HEIGHT * ((y - lowest) / largest) };
    const run = runs.at(-1);
    if (run?.at(-1)?.x === x - SAMPLE_WIDTH) run.push(point);
    else runs.push([point]);
  }
  return runs
    .filter(({ length }) => length > 1)
    .map(drawRun)
    .join('');
}

function drawRun(run: Point[]): string {
  const corners = simplify(run).map(({ x, y }) => ({ x, y: Math.round(y) }));
  return corners
    .map(({ x, y }, index) => {
      const from = corners[index - 1];
      if (!from) return `M${x} ${y}`;
      return `${index === 1 ? 'l' : ' '}${x - from.x}${y < from.y ? '' : ' '}${y - from.y}`;
    })
    .join('');
}

/** Without the points that are as good as on the line between others (Ramer, Douglas and Peucker). */
function simplify(run: Point[]): Point[] {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return run;
  const slope = (last.y - first.y) / (last.x - first.x);
  const distances = run.map(({ x, y }) => Math.abs(y - first.y - slope * (x - first.x)));
  const most = Math.max(...distances);
  if (most <= TOLERANCE) return [first, last];
  const farthest = distances.indexOf(most);
  return [...simplify(run.slice(0, farthest + 1)), ...simplify(run.slice(farthest)).slice(1)];
}
