const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborted by the first Ctrl-C, SIGTERM or hang-up. A second one ends the process at once, with exit code 1.
 *
 * @param stopping called with the first
 */
export function stopOnSignals(stopping: (name: NodeJS.Signals) => void = () => {}): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1);
    stopping(name);
    stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return stop.signal;
}
