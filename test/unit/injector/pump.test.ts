import { describe, expect, it } from 'vitest';
import type { ScheduledEvent } from '../../../injector/event.ts';
import { Pacer } from '../../../injector/pacer.ts';
import { pump } from '../../../injector/pump.ts';
import { simulate } from '../../../injector/simulation.ts';
import { ARCADE } from './options.ts';

const START = Date.UTC(2026, 10, 22);

/** Pumps a game for some seconds of a clock that only moves while the pump sleeps or sends. */
async function run(eventsPerSecond: number, seconds: number, sendMillis: (batch: number) => number) {
  const stop = new AbortController();
  const batches: ScheduledEvent[][] = [];
  let now = START;
  let sleeps = 0;
  const pass = (millis: number) => {
    now += millis;
    if (now >= START + seconds * 1000) stop.abort();
  };
  await pump({
    pacer: new Pacer(simulate({ ...ARCADE, eventsPerSecond }, START)),
    send: async (events) => {
      batches.push([...events]);
      pass(sendMillis(batches.length));
    },
    now: () => now,
    sleep: async (millis) => {
      sleeps++;
      pass(millis);
    },
    stop: stop.signal,
  });
  return { batches, sleeps };
}

describe('pump', () => {
  it('sends small batches when events are many and links are fast', async () => {
    const { batches } = await run(1000, 10, () => 2);
    expect(batches.flat().length).toBeGreaterThan(9500);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThan(60);
  });

  it('sleeps from event to event when they are few', async () => {
    const { batches, sleeps } = await run(0.1, 600, () => 2);
    expect(batches.flat().length).toBeGreaterThan(30);
    expect(sleeps).toBeLessThan(3 * batches.length);
  });

  it('never sends more than 1000 at once, however slow the link', async () => {
    const { batches } = await run(50_000, 10, () => 50);
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(1000);
  });

  it('takes nothing from the game while a batch is under way, and nothing of that time after a long wait', async () => {
    const { batches } = await run(100, 130, (batch) => (batch === 50 ? 120_000 : 2));
    const times = batches.flat().map(({ at }) => at);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(gaps.filter((gap) => gap > 100_000)).toHaveLength(1);
    expect(times.length).toBeLessThan(1500);
  });
});
