import { readFile } from 'node:fs/promises';
import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type Parsed, parseGameAnalytics } from '../api/parse.ts';
import type { Report } from '../local/process/report.ts';
import { completeColumns } from '../local/schema-columns.ts';
import { listed, UsageError } from './usage.ts';

/**
 * The valid resource in a YAML file, with its defaults; throws a UsageError that lists every problem, each
 * with its path.
 */
export async function readManifest(file: string): Promise<GameAnalytics> {
  return accept(file, parseGameAnalytics(await readYaml(file)));
}

/**
 * A manifest's resource with the columns that it leaves to its schema registry, which are reported.
 *
 * @param stateDir folder of its run, with its Secrets, and with its registry if the manifest names none
 * @throws UsageError when it is not valid with them, UserError when they cannot be read
 */
export async function readColumns(
  file: string,
  resource: GameAnalytics,
  stateDir: string,
  report: Report,
  signal: AbortSignal,
): Promise<GameAnalytics> {
  return accept(file, await completeColumns(resource, stateDir, report, signal));
}

function accept(file: string, { resource, problems }: Parsed): GameAnalytics {
  if (resource) return resource;
  const lines = problems.map(({ path, message }) => `${path || 'the manifest'}: ${message}`);
  throw new UsageError(listed(`${file} is not a valid GameAnalytics (${problems.length} to fix):`, lines));
}

async function readYaml(file: string): Promise<unknown> {
  // That keys are unique the parser checks by comparing each with each: of many, that takes minutes.
  const lines = new LineCounter();
  const documents = parseAllDocuments(await readText(file), {
    logLevel: 'error',
    uniqueKeys: false,
    lineCounter: lines,
  });
  refuse(
    file,
    documents.flatMap((document) => [...document.errors, ...repeatedKeys(document, lines)]),
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

/** A text file in UTF-8; throws a UsageError when it is none, or cannot be read. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`);
  });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Text in UTF-16 may be well-formed UTF-8 too.
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  throw new UsageError(`${file} is not text in UTF-8. Save it in that encoding.`);
}

function repeatedKeys(document: Document.Parsed, lines: LineCounter): Error[] {
  const errors: Error[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value)) {
          const { line, col } = lines.linePos(key.range?.[0] ?? 0);
          errors.push(new Error(`Map keys must be unique at line ${line}, column ${col}`));
        }
        keys.add(key.value);
      }
    },
  });
  return errors;
}

function refuse(file: string, errors: Error[]): void {
  if (errors.length === 0) return;
  throw new UsageError(
    listed(
      `${file} is not valid YAML:`,
      errors.map(({ message }) => message),
    ),
  );
}
