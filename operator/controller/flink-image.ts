import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Problem } from '../../api/parse.ts';

/**
 * What is wrong with the Flink image of a resource, by the images that the operator allows; empty when
 * nothing is.
 *
 * @param allowed images; one that ends with `/`, `:` or `@` allows all that begin with it. Undefined allows
 * any.
 */
export function flinkImageProblems(
  { spec }: GameAnalytics,
  allowed: readonly string[] | undefined,
): Problem[] {
  const { image } = spec.flink;
  if (!image || !allowed) return [];
  // A prefix ends where a part of an image's name does, or registry.example would allow registry.example.org.
  const isAllowed = allowed.some((entry) =>
    /[/:@]$/.test(entry) ? image.startsWith(entry) : image === entry,
  );
  if (isAllowed) return [];
  const message = `must be an image that the operator allows, ${allowed.join(' or ')}, not "${image}"`;
  return [{ path: 'spec.flink.image', message }];
}
