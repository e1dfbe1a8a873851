import type { CountedEvent, Row } from '../oracle/oracle.ts';

/*
 * Tells whether a board is one of a real moment: of all events up to some place in each partition, and of no
 * others. Which places, nobody knows; the rows narrow them down. A row's total, and the time of its newest
 * event, say how far its own events can have been read. Places at which all totals are right are tried by the
 * oracle, until one gives the same board.
 */

/** How a board counts: whose total a row has, and what an event makes of it. */
export interface Measure {
  /** Who an event counts for. */
  holder: (event: CountedEvent) => string;
  amount: (event: CountedEvent) => number;
  /** What amounts come to; it never falls. */
  fold: Fold;
  /** A row's total, as the amounts come to it. */
  total: (row: Row) => number;
  /** The column of a row with its holder. */
  holderColumn: string;
  /** The column with the time of the newest event counted; boards of a query need not have one. */
  lastEventColumn?: string;
}

/** How amounts come to a total, which events of several partitions have a part in. */
export interface Fold {
  /** What no event comes to. */
  none: number;
  add: (a: number, b: number) => number;
  /** The least that a part must be for a total, the others' being at most so much. */
  least: (total: number, others: number) => number;
  /** The most that a part may be for a total, the others' being at least so much. */
  most: (total: number, others: number) => number;
}

export const SUM: Fold = {
  none: 0,
  add: (a, b) => a + b,
  least: (total, others) => total - others,
  most: (total, others) => total - others,
};

export const GREATEST: Fold = {
  none: Number.NEGATIVE_INFINITY,
  add: Math.max,
  least: (total, others) => (others < total ? total : Number.NEGATIVE_INFINITY),
  most: (total) => total,
};

/** A prefix of each partition, as the number of its events. */
export type Places = number[];

/** From and to which number of events of a partition can have been read. */
interface Window {
  from: number;
  to: number;
}

/** So many ranges of places are tried before a board counts as one of no moment. */
const MOST_TRIED = 100_000;
/** Of those at which all totals are right, so many are computed. */
const MOST_COMPUTED = 400;

/**
 * What one holder has of one partition: of each of its events the place after it, and its total up to there.
 */
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
    const { fold } = this.#measure;
    const isRight = (places: Places) =>
      JSON.stringify(compute(this.#partitions.flatMap((all, p) => all.slice(0, places[p])))) === expected;
    // Mostly a board is of no earlier places than the one before it.
    const later = windows.map(({ from, to }, p) => ({ from: Math.max(from, hint[p]!), to }));
    return (
      search(later, holders, fold).take(MOST_COMPUTED).find(isRight) ??
      search(windows, holders, fold).take(MOST_COMPUTED).find(isRight)
    );
  }

  #holder(row: Row): Holder {
    const { holderColumn, total, lastEventColumn } = this.#measure;
    const own = this.#own.map((byHolder) => byHolder.get(String(row[holderColumn])) ?? NONE);
    const lastEventAt = lastEventColumn === undefined ? undefined : Number(row[lastEventColumn]);
    return { total: total(row), own, lastEventAt };
  }
}

const NONE: Own = { places: [], totals: [], producedAt: [] };

function ownEvents(events: CountedEvent[], { holder, amount, fold }: Measure): Map<string, Own> {
  const all = new Map<string, Own>();
  for (const [index, event] of events.entries()) {
    const id = holder(event);
    const own = all.get(id) ?? { places: [], totals: [], producedAt: [] };
    all.set(id, own);
    own.places.push(index + 1);
    own.totals.push(fold.add(own.totals.at(-1) ?? fold.none, amount(event)));
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

function windowOf(length: number, holders: Holder[], p: number): Window {
  const windows = holders.map((holder) => windowOfHolder(length, holder, p));
  return {
    from: Math.max(0, ...windows.map(({ from }) => from)),
    to: Math.min(length, ...windows.map(({ to }) => to)),
  };
}

/** What the newest event of a holder says of the place. */
function windowOfHolder(length: number, { lastEventAt, own }: Holder, p: number): Window {
  if (lastEventAt === undefined) return { from: 0, to: length };
  const { places, producedAt } = own[p]!;
  const tooLate = producedAt.findIndex((time) => time > lastEventAt);
  // Where one partition alone has the newest event, it was read up to there.
  const withLast = own.map((one) => one.producedAt.indexOf(lastEventAt));
  const isAlone = withLast.filter((index) => index >= 0).length === 1 && withLast[p]! >= 0;
  return {
    from: isAlone ? places[withLast[p]!]! : 0,
    to: tooLate < 0 ? length : places[tooLate]! - 1,
  };
}

/**
 * The places within the windows at which every holder has its total, the earliest first: what those who are
 * not on the board have only grows from there. Halves the widest window until each is one place, and leaves
 * out what cannot have the totals.
 */
function* search(
  wide: Window[],
  holders: Holder[],
  fold: Fold,
  budget = { left: MOST_TRIED },
): Generator<Places> {
  budget.left -= 1;
  const windows = budget.left > 0 ? narrowed(wide, holders, fold) : undefined;
  if (!windows) return;
  const widths = windows.map(({ from, to }) => to - from);
  const widest = widths.indexOf(Math.max(...widths));
  const { from, to } = windows[widest]!;
  if (from === to) {
    yield windows.map((window) => window.from);
    return;
  }
  const middle = (from + to) >> 1;
  yield* search(windows.with(widest, { from, to: middle }), holders, fold, budget);
  yield* search(windows.with(widest, { from: middle + 1, to }), holders, fold, budget);
}

/**
 * The windows without the places at which a holder's total cannot be what it is, whatever the places in the
 * other partitions; undefined when none are left. Of windows of one place each, they are those at which all
 * totals are right.
 */
function narrowed(wide: Window[], holders: Holder[], fold: Fold): Window[] | undefined {
  let windows = wide;
  for (;;) {
    const before = windows;
    for (const { own, total } of holders) {
      const least = own.map((one, p) => totalAt(one, windows[p]!.from, fold));
      const most = own.map((one, p) => totalAt(one, windows[p]!.to, fold));
      if (folded(least, fold) > total || folded(most, fold) < total) return undefined;
      windows = windows.map(({ from, to }, p) => ({
        from: Math.max(
          from,
          firstPlaceWith(own[p]!, fold.least(total, folded(most.toSpliced(p, 1), fold)), fold),
        ),
        to: Math.min(to, lastPlaceWith(own[p]!, fold.most(total, folded(least.toSpliced(p, 1), fold)))),
      }));
      if (windows.some(({ from, to }) => from > to)) return undefined;
    }
    if (windows.every(({ from, to }, p) => from === before[p]!.from && to === before[p]!.to)) return windows;
  }
}

/** The first place at which a holder has at least this total of a partition. */
function firstPlaceWith({ places, totals }: Own, total: number, { none }: Fold): number {
  if (total <= none) return 0;
  return places[firstIndex(totals, (one) => one >= total)] ?? Number.POSITIVE_INFINITY;
}

/** The last place at which a holder has at most this total of a partition. */
function lastPlaceWith({ places, totals }: Own, total: number): number {
  return (places[firstIndex(totals, (one) => one > total)] ?? Number.POSITIVE_INFINITY) - 1;
}

/** The holder's total of the first so many events of a partition. */
function totalAt({ places, totals }: Own, place: number, { none }: Fold): number {
  return totals[firstIndex(places, (one) => one > place) - 1] ?? none;
}

/** Where in an ascending list a test begins to be true; its length when it never is. */
function firstIndex(ascending: number[], test: (value: number) => boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(ascending[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function folded(parts: number[], { none, add }: Fold): number {
  return parts.reduce((total, part) => add(total, part), none);
}
