import { type GameAnalytics, needsSchema } from '../../api/gameanalytics.ts';
import type { Problem } from '../../api/parse.ts';
import { withColumns } from '../../api/schema-columns.ts';
import type { Status } from '../../api/status.ts';
import { schemaDigest } from '../../plan/schema.ts';
import { schemaSubject } from '../../plan/schema-registry.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './status.ts';

/** A resource with the columns of its events, as far as they are known. */
interface Completed {
  resource: GameAnalytics;
  /** What is wrong with it with these columns. */
  problems?: Problem[];
  schema: ConditionState;
}

/**
 * The resource with the columns that it leaves to the schema registry, by what the program that reads it has
 * written to the status. What it found for another spec counts for nothing.
 *
 * @param podTroubles what keeps the program's pod from running; empty when nothing does
 */
export function completeColumns(resource: GameAnalytics, status: unknown, podTroubles: string): Completed {
  if (!needsSchema(resource.spec)) {
    const schema = conditionTrue('Disabled', 'No columns are read from a schema registry.');
    return { resource, schema };
  }
  const subject = schemaSubject(resource);
  const { schema: last } = (status ?? {}) as Status;
  const found = last?.digest === schemaDigest(resource) ? last : undefined;
  if (found?.columns) {
    const columns = found.columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    const schema = conditionTrue(
      'Available',
      `The columns of ${subject} version ${found.version}: ${columns}.`,
    );
    return { resource, ...withColumns(resource, found.columns), schema };
  }
  const unset = 'events.columns is not set';
  if (found?.problem)
    return { resource, schema: conditionFalse('SchemaMissing', `${unset}: ${found.problem}`) };
  const reading = `${unset}: the newest schema of ${subject} is being read.`;
  const schema = podTroubles
    ? conditionFalse('NotReady', `${reading} ${podTroubles}`)
    : conditionFalse('Progressing', reading);
  return { resource, schema };
}
