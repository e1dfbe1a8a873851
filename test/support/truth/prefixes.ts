import type { CountedEvent, Row } from '../oracle.ts';

/*
 * Tells whether a board is one of a real moment: of all events up to some place in each partition, and of no others. Which
 * places, nobody knows; the rows narrow them down. A row's total, and the time of its newest event, say how far its own
 * events can have been read. Places at which all totals are right are tried by the oracle, until one gives the same board.
 */

/** How a board counts: whose total a row has, and what an event adds to it. */
export interface Measure {
  /** Who an event counts for. */
  holder: (event: CountedEvent) => string;
  amount: (event: CountedEvent) => number;
  /** Columns of a row. */
  holderColumn: string;
  totalColumn: string;
  /** The column with the time of the newest event counted; boards of a query need not have one. */
  lastEventColumn?: string;
}

/** A prefix of each partition, as the number of its events. */
export type Places = number[];

/** From and to which number of events of a partition can have been read. */
interface Window {
  from: number;
  to: number;
}

/** So many places are tried before a board counts as one of no moment. */
const MOST_TRIED = 3_000_000;
/** Of those at which all totals are right, so many are computed. */
const MOST_COMPUTED = 400;

/** What one holder has of one partition: of each of its events the place after it, and its total up to there. */
interface Own {
  places: number[];
  totals: number[];
  producedAt: number[];
}

/** The events of a season in each partition's order, as a board counts them. */
export class Season {
  readonly #partitions: CountedEvent[][];
  readonly #measure: Measure;
  readonly #own: Map<string, Own>[];

  constructor(partitions: CountedEvent[][], measure: Measure) {
    this.#partitions = partitions;
    this.#measure = measure;
    this.#own = partitions.map((events) => ownEvents(events, measure));
  }

  /**
   * Finds places in the partitions up to which the events make this board.
   *
   * @param rows the board, all ranks that its topic has
   * @param compute the board of some events, by the oracle
   * @param hint places that an earlier board was of
   */
  find(rows: Row[], compute: (events: CountedEvent[]) => Row[], hint: Places): Places | undefined {
    const holders = rows.map((row) => this.#holder(row));
    const windows = this.#partitions.map((events, p) => windowOf(events.length, holders, p));
    if (windows.some(({ from, to }) => from > to)) return undefined;
    const expected = JSON.stringify(rows);
    let computed = 0;
    for (const places of candidates(windows, holders, hint)) {
      computed += 1;
      const events = this.#partitions.flatMap((all, p) => all.slice(0, places[p]));
      if (JSON.stringify(compute(events)) === expected) return places;
      if (computed === MOST_COMPUTED) return undefined;
    }
    return undefined;
  }

  #holder(row: Row): Holder {
    const { holderColumn, totalColumn, lastEventColumn } = this.#measure;
    const own = this.#own.map((byHolder) => byHolder.get(String(row[holderColumn])) ?? NONE);
    const lastEventAt = lastEventColumn === undefined ? undefined : Number(row[lastEventColumn]);
    return { total: Number(row[totalColumn]), own, lastEventAt };
  }
}

const NONE: Own = { places: [], totals: [], producedAt: [] };

function ownEvents(events: CountedEvent[], { holder, amount }: Measure): Map<string, Own> {
  const all = new Map<string, Own>();
  for (const [index, event] of events.entries()) {
    const id = holder(event);
    const own = all.get(id) ?? { places: [], totals: [], producedAt: [] };
    all.set(id, own);
    own.places.push(index + 1);
    own.totals.push((own.totals.at(-1) ?? 0) + amount(event));
    own.producedAt.push(event.producedAt);
  }
  return all;
}

/** A row's holder: its total, the time of its newest event, and what it has of each partition. */
interface Holder {
  total: number;
  lastEventAt: number | undefined;
  own: Own[];
}

/** The holder's total of the first so many events of a partition. */
function totalAt({ places, totals }: Own, place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]! <= place) low = middle + 1;
    else high = middle;
  }
  return totals[low - 1] ?? 0;
}

function windowOf(length: number, holders: Holder[], p: number): Window {
  const windows = holders.map((holder) => windowOfHolder(length, holder, p));
  return {
    from: Math.max(0, ...windows.map(({ from }) => from)),
    to: Math.min(length, ...windows.map(({ to }) => to)),
  };
}

function windowOfHolder(length: number, { total, lastEventAt, own }: Holder, p: number): Window {
  const { places, totals, producedAt } = own[p]!;
  // Totals only grow: a place at which one is too large already is too late.
  const tooLate = [totals.findIndex((sum) => sum > total)];
  let from = 0;
  if (lastEventAt !== undefined) {
    tooLate.push(producedAt.findIndex((time) => time > lastEventAt));
    // Where one partition alone has the newest event, it was read up to there.
    const withLast = own.map((one) => one.producedAt.indexOf(lastEventAt));
    if (withLast[p]! >= 0 && withLast.filter((index) => index >= 0).length === 1)
      from = places[withLast[p]!]!;
  }
  const ends = tooLate.filter((index) => index >= 0).map((index) => places[index]! - 1);
  return { from, to: Math.min(length, ...ends) };
}

/**
 * The places within the windows at which every holder has its total, the earliest first: what those who are not on the board
 * have only grows from there. Mostly a board is of no earlier places than the one before it, so these are tried first.
 */
function* candidates(windows: Window[], holders: Holder[], hint: Places): Generator<Places> {
  const later = windows.map(({ from, to }, p) => ({ from: Math.max(from, hint[p]!), to }));
  yield* within(later, holders);
  yield* within(windows, holders);
}

function* within(windows: Window[], holders: Holder[]): Generator<Places> {
  const last = windows.length - 1;
  let tried = 0;
  const places: Places = windows.map(() => 0);
  function* choose(p: number, missing: number[]): Generator<Places> {
    for (let place = windows[p]!.from; place <= windows[p]!.to; place += 1) {
      tried += 1;
      if (tried > MOST_TRIED) return;
      const left = missing.map((total, h) => total - totalAt(holders[h]!.own[p]!, place));
      if (left.some((total) => (p === last ? total !== 0 : total < 0))) continue;
      places[p] = place;
      if (p === last) yield [...places];
      else yield* choose(p + 1, left);
    }
  }
  yield* choose(
    0,
    holders.map(({ total }) => total),
  );
}
