import { Board, type BoardView } from './board.ts';
import type { BoardDefinition } from './definition.ts';

/**
 * How well a board's topic is being read. `waiting`: never yet read to its end. `live`: being followed.
 * `away`: it was live and cannot be read now; the last known rows stay.
 */
export interface FeedStatus {
  kind: 'waiting' | 'live' | 'away';
  /** For people who operate the dashboard, not for its viewers; empty when live. */
  reason: string;
}

/**
 * The one place where the side that reads Kafka and the side that serves the web meet. A topic is read into a fresh
 * Board that is published once it is complete: viewers never see the past being replayed.
 */
export class LiveBoard {
  readonly definition: BoardDefinition;
  #board: Board;
  #status: FeedStatus = { kind: 'waiting', reason: 'not read yet' };
  #publications = 0;

  constructor(definition: BoardDefinition) {
    this.definition = definition;
    this.#board = new Board(definition);
  }

  get status(): FeedStatus {
    return this.#status;
  }

  /** True once the topic has been read to its end: from then on there is something true to show. */
  get ready(): boolean {
    return this.#status.kind !== 'waiting';
  }

  /** Shows this board from now on; it may go on changing. */
  publish(board: Board): void {
    this.#board = board;
    this.#publications += 1;
    this.#status = { kind: 'live', reason: '' };
  }

  /** The topic cannot be read, for the reason given. */
  interrupt(reason: string): void {
    this.#status = { kind: this.ready ? 'away' : 'waiting', reason };
  }

  view(now: number): BoardView {
    return this.#board.view(now);
  }

  /** Equal versions look the same, so a board is drawn again only when its version changes. */
  version(now: number): string {
    const { period } = this.view(now);
    return JSON.stringify([this.#publications, this.#board.revision, this.#status.kind, period]);
  }
}
