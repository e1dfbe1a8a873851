import type { Logger } from 'pino';

/**
 * The first SIGTERM or SIGINT aborts the signal that is returned; the second ends the process at once, with
 * exit code 1.
 */
export function stopOnSignals(log: Logger): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: string) => {
    if (controller.signal.aborted) process.exit(1);
    log.info(`${name}: stopping`);
    controller.abort();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return controller.signal;
}
