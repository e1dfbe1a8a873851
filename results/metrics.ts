import { Registry } from 'prom-client';
import { registerGauge, registerTotal } from '../lib/metrics.ts';
import type { State } from './follow.ts';

/** The Prometheus view of what the program does. */
export function createRegistry(state: State): Registry {
  const registry = new Registry();
  registerTotal(registry, 'results_written_total', 'Results that were written', () => state.written);
  registerGauge(
    registry,
    'results_due_seasons',
    'Boards of seasons that are frozen and have no result yet',
    () => state.due,
  );
  return registry;
}
