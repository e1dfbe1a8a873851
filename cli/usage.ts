import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UserError } from '../local/process/user-error.ts';

/** The command line or the manifest is wrong: exit code 2. */
export class UsageError extends UserError {
  override name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values = Record<string, string | undefined>;

interface CommandLine {
  file: string;
  values: Values;
}

/**
 * The one FILE and the options of a command; undefined when only its help was asked for, which is then
 * printed.
 */
export function commandLine(args: string[], help: string, options: Options = {}): CommandLine | undefined {
  const line = fileAndWords(args, help, options);
  if (line && line.words.length > 0) throw new UsageError(`Name one manifest file.\n\n${help}`);
  return line;
}

/** The FILE, the words after it, and the options of a command; undefined as with commandLine(). */
export function fileAndWords(
  args: string[],
  help: string,
  options: Options,
): (CommandLine & { words: string[] }) | undefined {
  const line = parse(args, help, options);
  if (!line) return undefined;
  const [file, ...words] = line.positionals;
  if (file === undefined) throw new UsageError(`Name one manifest file.\n\n${help}`);
  return { file, words, values: line.values };
}

/**
 * The FILEs of a command, one at least, and which of its flags are set; undefined when only its help was
 * asked for, which is then printed.
 */
export function filesAndFlags(
  args: string[],
  help: string,
  flags: string[],
): { files: string[]; flags: Set<string> } | undefined {
  const options = Object.fromEntries(flags.map((name) => [name, { type: 'boolean' } as const]));
  const line = parse(args, help, options);
  if (!line) return undefined;
  if (line.positionals.length === 0) throw new UsageError(`Name one manifest file.\n\n${help}`);
  return { files: line.positionals, flags: new Set(Object.keys(line.values)) };
}

/**
 * Whether a command that takes no arguments should run: not when its help was asked for, which is then
 * printed.
 */
export function noArguments(args: string[], help: string): boolean {
  const line = parse(args, help, {});
  if (!line) return false;
  if (line.positionals.length > 0) throw new UsageError(`It takes no arguments.\n\n${help}`);
  return true;
}

function parse(args: string[], help: string, options: Options) {
  const config = {
    args,
    allowPositionals: true,
    options: { ...options, help: { type: 'boolean' } },
  } as const;
  try {
    const { values, positionals } = parseArgs(config);
    if (!values.help) return { values: values as Values, positionals };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${help}`);
  }
  process.stdout.write(help);
  return undefined;
}

/** More lines help no one. */
const MOST_LINES = 50;

/** A heading with lines below it. */
export function listed(heading: string, lines: string[]): string {
  const more = lines.length - MOST_LINES;
  const shown = lines.slice(0, MOST_LINES).map((line) => `  ${line}`);
  return [heading, ...shown, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}
