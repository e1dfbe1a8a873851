import { Registry } from 'prom-client';
import { registerGauge, registerTotal } from '../lib/metrics.ts';

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
  registerTotal(
    registry,
    'history_records_total',
    'Changes of boards that were copied to their histories',
    () => state.copied,
  );
  registerGauge(
    registry,
    'history_whole_timestamp_seconds',
    'When the histories last had all changes of their boards; at first, when the program started',
    () => state.wholeMillis / 1000,
  );
  return registry;
}
