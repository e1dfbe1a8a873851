import { createHash } from 'node:crypto';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { sqlScript } from './sql.ts';

/** Annotation of the FlinkDeployment that says what its state was made by. */
export const STATE_ANNOTATION = 'gameanalytics.dev/state';

/**
 * What the job's state is made by, as a text for `keepsState`: a digest of the SQL without the boards' sizes, and the sizes.
 * A season, a window or a statement that changes makes another state; memory, an image or a title do not.
 */
export function stateOf(resource: GameAnalytics): string {
  // A Query board has its limit in its own SQL.
  const ranked = resource.spec.leaderboards.filter(({ type }) => type !== 'Query');
  const unsized = {
    ...resource,
    spec: {
      ...resource.spec,
      leaderboards: resource.spec.leaderboards.map((board) => ({ ...board, size: 1 })),
    },
  };
  const digest = createHash('sha256').update(sqlScript(unsized, '')).digest('hex').slice(0, 16);
  return `${digest}/${ranked.map(({ size }) => size).join(',')}`;
}

/**
 * Whether a job that goes on from the state of another shows the same boards as one that reads every event again. Flink takes
 * a state whose statements are the same; but a rank keeps no rows beyond its size, so one that grows lacks those it let go.
 */
export function keepsState(from: string | undefined, to: string): boolean {
  const [before, after] = [parts(from ?? ''), parts(to)];
  return before.digest === after.digest && after.sizes.every((size, i) => size <= (before.sizes[i] ?? 0));
}

function parts(state: string): { digest: string; sizes: number[] } {
  const [digest = '', sizes = ''] = state.split('/');
  return { digest, sizes: sizes === '' ? [] : sizes.split(',').map(Number) };
}
