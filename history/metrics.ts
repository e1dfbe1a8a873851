import { Counter, Gauge, Registry } from 'prom-client';

/** What the program has done, and what keeps it from more. */
export interface State {
  /** Undefined: nothing. */
  problem: string | undefined;
  /** Changes of boards that were copied. */
  copied: number;
  /** When the histories last had all changes; at first, when the program started. Epoch milliseconds. */
  wholeMillis: number;
}

/** The Prometheus view of what the program does. */
export function createRegistry(state: State): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: 'history_records_total',
    help: 'Changes of boards that were copied to their histories',
    registers,
    collect() {
      this.reset();
      this.inc(state.copied);
    },
  });
  new Gauge({
    name: 'history_whole_timestamp_seconds',
    help: 'When the histories last had all changes of their boards; at first, when the program started',
    registers,
    collect() {
      this.set(state.wholeMillis / 1000);
    },
  });
  return registry;
}
