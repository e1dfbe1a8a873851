import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { parseGameAnalytics } from '../api/parse.ts';
import { UsageError } from './usage.ts';

/** The valid resource in a YAML file, with its defaults; throws a UsageError that lists every problem, each with its path. */
export async function readManifest(file: string): Promise<GameAnalytics> {
  const { resource, problems } = parseGameAnalytics(await readYaml(file));
  if (resource) return resource;
  const lines = problems.map(({ path, message }) => `  ${path || 'the manifest'}: ${message}`);
  throw new UsageError(
    [`${file} is not a valid GameAnalytics (${problems.length} to mend):`, ...lines].join('\n'),
  );
}

async function readYaml(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`);
  });
  const documents = parseAllDocuments(text, { logLevel: 'error' });
  refuse(
    file,
    documents.flatMap(({ errors }) => errors),
  );
  if (documents.length !== 1)
    throw new UsageError(`${file} must hold one GameAnalytics; it holds ${documents.length} documents.`);
  try {
    return documents[0]?.toJS();
  } catch (error) {
    // Aliases are resolved only now: one may lead nowhere, or be a bomb.
    return refuse(file, [error as Error]);
  }
}

function refuse(file: string, errors: Error[]): void {
  if (errors.length === 0) return;
  const lines = errors.map(({ message }) => `  ${message}`);
  throw new UsageError([`${file} is not valid YAML:`, ...lines].join('\n'));
}
