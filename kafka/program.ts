import type { Logger } from 'pino';
import { type Program as AnyProgram, runProgram as runAnyProgram } from '../lib/program.ts';
import { type Access, type AccessSettings, kafkaAccess } from './access.ts';

/** A program that connects to Kafka, and has its settings from the environment. */
interface Program<Settings> extends Omit<AnyProgram<Settings>, 'run'> {
  /** Works until it is stopped. Resolves to the exit code. */
  run(settings: Settings, access: Access, log: Logger): Promise<number>;
}

/**
 * Runs a program, or prints its help where an argument asks for it.
 *
 * @returns the exit code: 1 when it failed, which it logs, and 2 when its settings are wrong, which it says
 */
export function runProgram<Settings extends AccessSettings & { LOG_LEVEL: string }>(
  program: Program<Settings>,
): Promise<number> {
  return runAnyProgram({
    ...program,
    run: (settings: Settings, log) => program.run(settings, kafkaAccess(settings), log),
  });
}
