/**
 * A small seeded random generator (sfc32: 128 bits of state, three additions and a rotation per number), so
 * that a seed gives the same game on every machine. It is on the path of every event and not meant for
 * secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed`: an integer; its low 32 bits and what is above them both count. */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0;
    // Seeds that differ in one bit start out alike; a few rounds pull them apart.
    for (let round = 0; round < 15; round++) this.uint32();
  }

  /** An integer from 0 to 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A number in [min, max). */
  between(min: number, max: number): number {
    return min + this.unit() * (max - min);
  }

  /** An integer from min to max, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1));
  }

  /** True with the given probability; 0 is never, 1 is always. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** The wait until the next of events that come independently of each other, `mean` apart on average. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit());
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.unit() * list.length)] as T;
  }
}
