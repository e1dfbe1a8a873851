import { Counter, Gauge, Registry } from 'prom-client';
import type { State } from './follow.ts';

/** The Prometheus view of what the program does. */
export function createRegistry(state: State): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: 'results_written_total',
    help: 'Results that were written',
    registers,
    collect() {
      this.reset();
      this.inc(state.written);
    },
  });
  new Gauge({
    name: 'results_due_seasons',
    help: 'Boards of seasons that are frozen and have no result yet',
    registers,
    collect() {
      this.set(state.due);
    },
  });
  return registry;
}
