import { API_VERSION, type GameAnalytics, KIND } from '../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../api/parse.ts';

/**
 * A valid resource with this spec in addition to the required fields; a spec that is not valid is the test's
 * mistake.
 */
export function resource(
  spec: Record<string, unknown> = {},
  name = 'game',
  metadata: object = {},
): GameAnalytics {
  const parsed = parseGameAnalytics({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, ...metadata },
    spec: { kafka: { cluster: 'games' }, ...spec },
  });
  if (parsed.resource) return parsed.resource;
  throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}
