import { Live } from '../live.ts';
import { Board, type BoardView, type Season } from './board.ts';
import type { BoardDefinition } from './definition.ts';

/** A board as it is now. */
export class LiveBoard extends Live<Board> {
  readonly definition: BoardDefinition;

  constructor(definition: BoardDefinition) {
    super(new Board(definition));
    this.definition = definition;
  }

  view(now: number, season: Season = 'this'): BoardView {
    return this.content.view(now, season);
  }

  /** Equal versions look the same, so a board is drawn again only when its version changes. */
  version(now: number): string {
    const { period } = this.view(now);
    return JSON.stringify([this.publications, this.content.revision, this.status.kind, period]);
  }
}
