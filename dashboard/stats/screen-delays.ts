/*
 * How long events took from Kafka to the screens, measured where it counts: on the rows that they changed.
 * Pure: the time is passed in.
 */

/** Older measurements say nothing of now. */
const REMEMBERED_MILLIS = 60_000;

/**
 * Of the events that go to the screens together, at most so many are kept, evenly from the fastest to the
 * slowest.
 */
const MOST_AT_ONCE = 100;

/** In milliseconds, of the events of the last minute. */
export interface ScreenDelay {
  medianMillis: number;
  p99Millis: number;
}

export class ScreenDelays {
  /** Oldest first. */
  #measurements: { atMillis: number; delaysMillis: number[] }[] = [];

  /** Notes events that go to the screens at `now`. */
  note(delaysMillis: readonly number[], now: number): void {
    if (delaysMillis.length === 0) return;
    this.#measurements.push({ atMillis: now, delaysMillis: evenly(delaysMillis, MOST_AT_ONCE) });
    while (now - (this.#measurements[0]?.atMillis ?? now) > REMEMBERED_MILLIS) this.#measurements.shift();
  }

  /** How long events took in the last minute; undefined when none went to the screens. */
  view(now: number): ScreenDelay | undefined {
    const recent = this.#measurements.filter(({ atMillis }) => now - atMillis <= REMEMBERED_MILLIS);
    const sorted = recent.flatMap(({ delaysMillis }) => delaysMillis).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
    const [medianMillis, p99Millis] = [at(0.5), at(0.99)];
    return medianMillis === undefined || p99Millis === undefined ? undefined : { medianMillis, p99Millis };
  }
}

function evenly(values: readonly number[], most: number): number[] {
  const step = Math.max(1, values.length / most);
  const sorted = values.toSorted((a, b) => a - b);
  return Array.from(
    { length: Math.min(values.length, most) },
    (_, index) => sorted[Math.floor(index * step)] ?? 0,
  );
}
