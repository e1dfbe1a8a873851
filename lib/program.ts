import { type Logger, pino } from 'pino';
import type { Parsed } from './settings.ts';

/** A program that has its settings from the environment. */
export interface Program<Settings> {
  /** As a message begins with: `the injector`. */
  name: string;
  help: string;
  parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings>;
  /**
   * Works until it is stopped. Resolves to the exit code.
   *
   * @throws SettingsError
   */
  run(settings: Settings, log: Logger): Promise<number>;
}

/** A setting is wrong, which only shows when it is used; the message says what is allowed. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/**
 * Runs a program, or prints its help where an argument asks for it.
 *
 * @returns the exit code: 1 when it failed, which it logs, and 2 when its settings are wrong, which it says
 */
export async function runProgram<Settings extends { LOG_LEVEL: string }>({
  name,
  help,
  parseSettings,
  run,
}: Program<Settings>): Promise<number> {
  if (process.argv.includes('--help')) {
    process.stdout.write(help);
    return 0;
  }
  const parsed = parseSettings(process.env);
  if ('problems' in parsed) return refuse(parsed.problems);
  // Written at once: the last line, which says what was lost, must be out before the process ends.
  const log = pino({ level: parsed.settings.LOG_LEVEL }, pino.destination({ sync: true }));
  try {
    return await run(parsed.settings, log);
  } catch (error) {
    if (error instanceof SettingsError) return refuse([error.message]);
    log.debug(error);
    log.fatal(`${name} failed: ${(error as Error).message}`);
    return 1;
  }
}

function refuse(problems: readonly string[]): number {
  process.stderr.write(`${problems.join('\n')}\n`);
  return 2;
}
