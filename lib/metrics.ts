import { Counter, Gauge, type Registry } from 'prom-client';

/** Registers a counter whose total is kept elsewhere; `read` is asked for it with each scrape. */
export function registerTotal(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** Registers a gauge whose value is kept elsewhere; `read` is asked for it with each scrape. */
export function registerGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
