import type { Random } from './random.ts';

/**
 * Ids that look random and never repeat: a counter sent through a permutation of the 32-bit integers. Nothing
 * has to be remembered, however long the process lives. The counter starts at random, so two runs with
 * different seeds do not share players.
 */
export class IdSource {
  #counter: number;

  constructor(random: Random) {
    this.#counter = random.uint32();
  }

  /** A new id such as `USR-0K3F9QZ`. */
  next(prefix: string): string {
    this.#counter = (this.#counter + 1) >>> 0;
    return `${prefix}-${permute(this.#counter).toString(36).toUpperCase().padStart(7, '0')}`;
  }
}

function permute(value: number): number {
  // One to one over the 32-bit integers (every step can be undone), and neighbors land far apart.
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
