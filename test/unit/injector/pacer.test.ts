import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../../injector/pacer.ts';
import { simulate } from '../../../injector/simulation.ts';
import { ARCADE, anyGame } from './options.ts';

const START = Date.UTC(2026, 10, 22);
const NO_LIMIT = Number.POSITIVE_INFINITY;

describe('Pace', () => {
  it('hands out every event once, when its time has come, in whatever steps time moves', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(anyGame, steps, (options, millis) => {
        const game = { ...options, eventsPerSecond: Math.min(options.eventsPerSecond, 200) };
        const pacer = new Pacer(simulate(game, START));
        let now = START;
        const handed = millis.flatMap((step) => {
          now += step;
          return pacer.due(now, NO_LIMIT);
        });
        const expected = simulate(game, START);
        for (const emission of handed) expect(emission).toEqual(expected.next().value);
        expect(handed.at(-1)?.at ?? 0).toBeLessThanOrEqual(now);
        expect(expected.next().value.at).toBeGreaterThan(now);
      }),
    );
  });

  it('hands out no more than it is asked for, and the rest the next time', () => {
    const pacer = new Pacer(simulate(ARCADE, START));
    expect(pacer.due(START + 900, 10)).toHaveLength(10);
    expect(pacer.behindMillis(START + 900)).toBeGreaterThan(0);
    expect(pacer.due(START + 900, NO_LIMIT).length).toBeGreaterThan(40);
    expect(pacer.behindMillis(START + 900)).toBe(0);
    expect(pacer.aheadMillis(START + 900)).toBeGreaterThan(0);
  });

  it('makes up for a hiccup', () => {
    const pacer = new Pacer(simulate(ARCADE, START));
    expect(pacer.due(START + 950, NO_LIMIT).length).toBeGreaterThan(60);
    expect(pacer.skippedMillis).toBe(0);
  });

  it('resumes from the present after an outage, without the events of the time between', () => {
    const pacer = new Pacer(simulate(ARCADE, START));
    pacer.due(START + 100, NO_LIMIT);
    const back = START + 600_000;
    const burst = pacer.due(back, NO_LIMIT);
    expect(burst.length).toBeLessThanOrEqual(1);
    expect(pacer.skippedMillis).toBeGreaterThan(599_000);
    const next = pacer.due(back + 1000, NO_LIMIT);
    expect(next.length).toBeGreaterThan(60);
    expect(next.every(({ at }) => at > back)).toBe(true);
  });
});
