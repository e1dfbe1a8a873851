import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UserError } from '../local/user-error.ts';

/** The command line or the manifest is wrong: exit code 2. */
export class UsageError extends UserError {
  override name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

interface CommandLine {
  file: string;
  values: Record<string, string | undefined>;
}

/** The one FILE and the options of a command; undefined when only its help was asked for, which is then printed. */
export function commandLine(args: string[], help: string, options: Options = {}): CommandLine | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean' } },
    });
    if (values.help) {
      process.stdout.write(help);
      return undefined;
    }
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) throw new Error('Name one manifest file.');
    return { file, values: values as CommandLine['values'] };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${help}`);
  }
}
