import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Leaderboard } from '../api/boards/types.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { ANNOTATIONS } from './metadata.ts';
import { TEMPLATES } from './sql-template.ts';

/*
 * How the boards of a job keep their state while boards come and go.
 *
 * An example: a resource has the boards `teams` and `players`. Then `hot` is added, `teams` is removed, the
 * season of `players` changes, and at last the lateness of the events does. The layouts are, slot by slot,
 * each with the scan of the events that it reads (@) and struck out (-) when its board is gone:
 *
 *   created           generation 1:   teams@1   players@1
 *   hot is added      generation 1:   teams@1   players@1   hot@2
 *   teams is removed  generation 1:  -teams@1   players@1   hot@2
 *   players changes   generation 1:  -teams@1  -players@1   hot@2   players@3
 *   lateness changes  generation 2:   players@1   hot@1
 *
 * Within generation 1 each job restores the state of the one before, because no statement moves: only the
 * board that is new in the last slot is recomputed from the events that are kept. Another lateness changes
 * every statement, so generation 2 begins with the boards of the spec alone, and all of them are recomputed.
 */

/** Annotation of the FlinkDeployment that says how its job is laid out. */
export const LAYOUT_ANNOTATION = ANNOTATIONS.layout;

/**
 * How the statements of a job are laid out, so that it can restore the state of the one before. Flink gives
 * state back to operators by their number within a statement set, so a statement never moves: a new board
 * comes last, and one that is removed stays as a statement that writes to nothing, until all gets a new
 * layout.
 */
export interface Layout {
  /** Part of the ids of all operators: a job finds no state of another generation. */
  generation: string;
  /** Digest of what all statements depend on. */
  sharedInputs: string;
  slots: StatementSlot[];
}

/** The place of a board's statements. */
export interface StatementSlot {
  board: Statement;
  /**
   * Boards that began together share a scan of the events; one that came later reads them all by a scan of
   * its own.
   */
  scan: number;
  /** Its board is gone; what is left keeps the numbers of those after it. */
  removed?: true;
}

/**
 * A board as far as its statements depend on it: its size is that of the rank, and how it is shown does not
 * matter.
 */
export type Statement = Leaderboard;

/**
 * Each costs a part of the work of a board, or a scan of the events: with more of them, all gets a new
 * layout.
 */
const MAX_REMOVED = 8;
const MAX_SCANS = 8;

/** Longest text that is noted: annotations have 256 KiB together. */
const MAX_TEXT = 200_000;

const LEAST_RANKS = 16;
const MOST_RANKS = 1000;

/**
 * The layout of a resource's job that keeps what can be kept of the one before. Of its own result it makes
 * the same again.
 *
 * @param previous layout of the job that runs, where its state will be found
 */
export function layOut(resource: GameAnalytics, previous?: Layout): Layout {
  const sharedInputs = hashInputs(resource);
  const statements = resource.spec.leaderboards.map(statement);
  if (previous?.sharedInputs !== sharedInputs) return newLayout(sharedInputs, statements, previous);
  const kept = previous.slots.map((slot) => (isWanted(slot, statements) ? slot : markRemoved(slot)));
  const scan = 1 + Math.max(...kept.map((slot) => slot.scan));
  const added = statements.filter((board) => !kept.some((slot) => holds(slot, board)));
  const slots: StatementSlot[] = [...kept, ...added.map((board) => ({ board, scan }))];
  const scans = new Set(slots.map((slot) => slot.scan)).size;
  const tooMany = slots.filter(({ removed }) => removed).length > MAX_REMOVED || scans > MAX_SCANS;
  return tooMany ? newLayout(sharedInputs, statements, previous) : { ...previous, slots };
}

/**
 * Digest of all that a board's rows depend on: the events, and its statement. What changes nothing of the
 * rows, such as a title or how many of the topic's ranks are shown, does not change it.
 */
export function boardDigest(resource: GameAnalytics, board: Leaderboard): string {
  return digest([hashInputs(resource), statement(board)]);
}

/** Whether a job of one layout restores the state of another. */
export function canRestoreFrom(from: Layout | undefined, to: Layout): boolean {
  return from?.generation === to.generation;
}

export interface Recomputation {
  board: string;
  why: string;
}

/** The boards that are recomputed from the events that are kept when a job's layout changes, and why each. */
export function boardsToReplay(from: Layout | undefined, to: Layout): Recomputation[] {
  const live = to.slots.filter(({ removed }) => !removed);
  if (!from || !canRestoreFrom(from, to)) {
    const why = from && fullReplayReason(from, to);
    return live.map(({ board }) => ({ board: board.name, why: why ?? 'there is no state to resume from' }));
  }
  const added = live.filter(({ board }) => !from.slots.some((slot) => holds(slot, board)));
  return added.map(({ board }) => {
    const was = from.slots.some((slot) => !slot.removed && slot.board.name === board.name);
    return { board: board.name, why: was ? 'its definition changed' : 'it is new' };
  });
}

function fullReplayReason(from: Layout, to: Layout): string {
  return from.sharedInputs === to.sharedInputs
    ? 'the job had gathered too many boards that are gone'
    : 'the events, their mapping, their lateness or the SQL of all boards changed';
}

/**
 * A layout as a text for the annotation; empty when it is too long to be noted, and the next change
 * recomputes all.
 */
export function printLayout(layout: Layout): string {
  const text = JSON.stringify(layout);
  return text.length > MAX_TEXT ? '' : text;
}

/** A layout from its text; undefined when it is none, as of a version that noted something else. */
export function readLayout(text: string | undefined): Layout | undefined {
  try {
    const layout = JSON.parse(text ?? '') as Partial<Layout> | null;
    return layout?.generation && layout.sharedInputs && layout.slots ? (layout as Layout) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * How many ranks the topic of a board has: a size can change within it, and the statement stays what it is.
 */
export function topicRanks({ type, size }: Leaderboard): number {
  // A Query board has its limit in its own SQL.
  if (type === 'Query') return MOST_RANKS;
  return Math.min(MOST_RANKS, Math.max(LEAST_RANKS, 2 ** Math.ceil(Math.log2(size))));
}

function statement(board: Leaderboard): Statement {
  const unshown = { keepSeasons: undefined, maxValues: undefined, shareRanks: undefined, history: false };
  const bare = { ...board, title: '', size: topicRanks(board), ...unshown };
  const plain = JSON.parse(JSON.stringify(bare)) as Statement;
  if (plain.type !== 'Query') return plain;
  return { ...plain, columns: plain.columns.map((column) => ({ ...column, label: '' })) };
}

function newLayout(sharedInputs: string, statements: Statement[], previous: Layout | undefined): Layout {
  const count = Number.parseInt(previous?.generation ?? '0', 10) + 1;
  const slots = statements.map((board) => ({ board, scan: 1 }));
  return { generation: `${count}-${digest([sharedInputs, slots])}`, sharedInputs, slots };
}

function isWanted(slot: StatementSlot, statements: Statement[]): boolean {
  return statements.some((board) => holds(slot, board));
}

function holds(slot: StatementSlot, board: Statement): boolean {
  return !slot.removed && isDeepStrictEqual(slot.board, board);
}

function markRemoved({ board, scan }: StatementSlot): StatementSlot {
  return { board, scan, removed: true };
}

/** They are long, and every board's digest has them. */
const TEMPLATES_DIGEST = digest(TEMPLATES);

function hashInputs({ spec, metadata }: GameAnalytics): string {
  const { topic, maxLateness, format, columns, fields, deduplicate } = spec.events;
  const { latestArrival, negativeScores, scoreDecimals } = spec.events;
  const record = { format, columns, fields, deduplicate, latestArrival, negativeScores, scoreDecimals };
  return digest([metadata.name, spec.kafka.cluster, topic, maxLateness, record, TEMPLATES_DIGEST]);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}
