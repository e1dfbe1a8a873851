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

/**
 * Finds places in the partitions up to which the events make this board.
 *
 * @param partitions the events of a season, in each partition's order
 * @param rows the board, all ranks that its topic has
 * @param compute the board of some events, by the oracle
 * @param hint places that an earlier board was of: those from there on are tried first
 */
export function findPlaces(
  partitions: CountedEvent[][],
  rows: Row[],
  measure: Measure,
  compute: (events: CountedEvent[]) => Row[],
  hint: Places,
): Places | undefined {
  const holders = rows.map((row) => holderOf(partitions, row, measure));
  const windows = partitions.map((events, p) => windowOf(events.length, holders, p));
  if (windows.some(({ from, to }) => from > to)) return undefined;
  const expected = JSON.stringify(rows);
  let computed = 0;
  for (const places of candidates(windows, holders, hint)) {
    computed += 1;
    const events = partitions.flatMap((all, p) => all.slice(0, places[p]));
    if (JSON.stringify(compute(events)) === expected) return places;
    if (computed === MOST_COMPUTED) return undefined;
  }
  return undefined;
}

/** A row's holder, with what it has at each place: sums[p][n] is its total of the first n events of partition p. */
interface Holder {
  total: number;
  windows: Window[];
  sums: Float64Array[];
}

function holderOf(partitions: CountedEvent[][], row: Row, measure: Measure): Holder {
  const { holder, amount, holderColumn, totalColumn, lastEventColumn } = measure;
  const id = row[holderColumn];
  const lastEventAt = lastEventColumn === undefined ? undefined : Number(row[lastEventColumn]);
  const own = partitions.map((events) => events.map((event) => holder(event) === id));
  const sums = partitions.map((events, p) => {
    const all = new Float64Array(events.length + 1);
    for (const [i, event] of events.entries()) all[i + 1] = all[i]! + (own[p]![i] ? amount(event) : 0);
    return all;
  });
  const isOwn = (p: number, test: (event: CountedEvent) => boolean) =>
    partitions[p]!.findIndex((event, i) => own[p]![i] && test(event));
  const withLast = partitions.map((_, p) => isOwn(p, ({ producedAt }) => producedAt === lastEventAt));
  const hasLast = withLast.filter((index) => index >= 0);
  const windows = partitions.map((events, p) => {
    if (lastEventAt === undefined) return { from: 0, to: events.length };
    const later = isOwn(p, ({ producedAt }) => producedAt > lastEventAt);
    // Where one partition alone has the newest event, it was read up to there.
    const from = hasLast.length === 1 && withLast[p]! >= 0 ? withLast[p]! + 1 : 0;
    return { from, to: later < 0 ? events.length : later };
  });
  return { total: Number(row[totalColumn]), windows, sums };
}

function windowOf(length: number, holders: Holder[], p: number): Window {
  const window = {
    from: Math.max(0, ...holders.map(({ windows }) => windows[p]!.from)),
    to: Math.min(length, ...holders.map(({ windows }) => windows[p]!.to)),
  };
  // Totals only grow: a place at which one is too large already is too late.
  const isTooMuch = (n: number) => holders.some(({ total, sums }) => sums[p]![n]! > total);
  while (window.to >= window.from && isTooMuch(window.to)) window.to -= 1;
  return window;
}

/** The places within the windows at which every holder has its total, beginning behind the hint. */
function* candidates(windows: Window[], holders: Holder[], hint: Places): Generator<Places> {
  const orders = windows.map(({ from, to }, p) => {
    const start = Math.min(Math.max(hint[p] ?? 0, from), to);
    const forward = Array.from({ length: to - start + 1 }, (_, i) => start + i);
    const backward = Array.from({ length: start - from }, (_, i) => start - 1 - i);
    return [...forward, ...backward];
  });
  const last = windows.length - 1;
  let tried = 0;
  const places: Places = windows.map(() => 0);
  function* choose(p: number, missing: number[]): Generator<Places> {
    for (const place of orders[p]!) {
      tried += 1;
      if (tried > MOST_TRIED) return;
      const left = missing.map((total, h) => total - holders[h]!.sums[p]![place]!);
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
