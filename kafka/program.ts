import { type Logger, pino } from 'pino';
import type { Parsed } from '../lib/settings.ts';
import { type Access, AccessError, type AccessSettings, kafkaAccess } from './access.ts';

/** A program that connects to Kafka, and has its settings from the environment. */
export interface Program<Settings> {
  /** As a message begins with: `the injector`. */
  name: string;
  help: string;
  parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings>;
  /** Works until it is stopped. Resolves to the exit code. */
  run(settings: Settings, access: Access, log: Logger): Promise<number>;
}

/**
 * Runs a program, or prints its help where an argument asks for it.
 *
 * @returns the exit code: 1 when it failed, which it logs, and 2 when its settings are wrong, which it says
 */
export async function runProgram<Settings extends AccessSettings & { LOG_LEVEL: string }>({
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
  let access: Access;
  try {
    access = kafkaAccess(parsed.settings);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return refuse([error.message]);
  }
  // Written at once: the last line, which says what was lost, must be out before the process ends.
  const log = pino({ level: parsed.settings.LOG_LEVEL }, pino.destination({ sync: true }));
  return run(parsed.settings, access, log).catch((error) => {
    log.debug(error);
    log.fatal(`${name} failed: ${error.message}`);
    return 1;
  });
}

function refuse(problems: readonly string[]): number {
  process.stderr.write(`${problems.join('\n')}\n`);
  return 2;
}
