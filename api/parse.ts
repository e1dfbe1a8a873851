import { z } from 'zod';
import { type GameAnalytics, gameAnalytics } from './gameanalytics.ts';

/** One thing wrong with a manifest: where, and what is allowed there. */
export interface Problem {
  /** Path of the field, such as `spec.leaderboards[1].size`; empty for the manifest as a whole. */
  path: string;
  message: string;
}

export type Parsed =
  | { resource: GameAnalytics; problems?: never }
  | { resource?: never; problems: Problem[] };

/** The resource with all defaults filled in, or every problem it has. */
export function parseGameAnalytics(manifest: unknown): Parsed {
  const result = gameAnalytics.safeParse(manifest);
  if (result.success) return withoutControlCharacters(result.data);
  return { problems: result.error.issues.flatMap((issue) => explain(issue, manifest)) };
}

/**
 * No text needs them, but for the ends of lines and tabs; a process takes none with a NUL, and a terminal
 * obeys the others.
 */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

function withoutControlCharacters(resource: GameAnalytics): Parsed {
  const problems = collectTexts(resource.spec, ['spec']).flatMap(({ path, text }) =>
    CONTROL.test(text)
      ? [{ path: pathText(path), message: `must not have control characters, as in ${shown(text)}` }]
      : [],
  );
  return problems.length === 0 ? { resource } : { problems };
}

function collectTexts(value: unknown, path: PropertyKey[]): { path: PropertyKey[]; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((one, index) => collectTexts(one, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => [
    { path, text: key },
    ...collectTexts(one, [...path, key]),
  ]);
}

function explain(issue: z.core.$ZodIssue, manifest: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = fieldsAt(issue.path).join(', ');
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: `is not a field; allowed here: ${allowed}`,
    }));
  }
  return [{ path: pathText(issue.path), message: sentence(issue, valueAt(manifest, issue.path)) }];
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const allowed = issue.message
    .replace(/^Invalid (input|option): /, '')
    .replace(/, received .*$/, '')
    .replace(/^Too (small|big): expected \w+ to /, 'must ');
  if (value === undefined) return `is required: ${allowed.replace(/^expected /, '')}`;
  const got = shown(value);
  return got === undefined ? allowed : `${allowed}, not ${got}`;
}

const SHOWN_LENGTH = 60;

/**
 * The value as one would write it, cut short; undefined where it cannot be written: nested too deeply, or
 * within itself.
 */
function shown(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  try {
    const text = JSON.stringify(value);
    return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 3)}…` : text;
  } catch {
    return undefined;
  }
}

function pathText(path: PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
}

function fieldsAt(path: PropertyKey[]): string[] {
  const root = z.toJSONSchema(gameAnalytics, { io: 'input' }) as SchemaNode;
  const node = path.reduce<SchemaNode | undefined>(
    (at, key) => (typeof key === 'number' ? at?.items : at?.properties?.[String(key)]),
    root,
  );
  return Object.keys(node?.properties ?? {});
}
