import type { LiveBoard } from '../boards/live-board.ts';
import { panelOf } from '../page/panel.ts';
import { renderFrame, renderPanel } from '../page/render.ts';
import type { Metrics } from './metrics.ts';

/*
 * Pushing boards to browsers. Each tick renders the boards that changed, once, and sends the same bytes to every
 * viewer. Nothing is queued for a viewer that cannot keep up: it is left out until its socket has drained, and then
 * gets everything as it is by then. Every viewer starts with a full snapshot, so a reconnect needs no history.
 */

/** The part of a WebSocket that pushing needs. */
export interface Viewer {
  /** Bytes handed over and not yet taken by the network. */
  readonly bufferedAmount: number;
  send(frame: Buffer, options: { binary: boolean }): void;
}

/** A panel as it was last rendered: the board's version then, the element's id, and the HTML. */
interface Rendered {
  version: string;
  id: string;
  html: string;
}

/** A viewer with more than this under way is slow. */
const MAX_BUFFERED_BYTES = 64 * 1024;

export class Broadcast {
  readonly #boards: readonly LiveBoard[];
  readonly #metrics: Metrics;
  readonly #now: () => number;
  /** The boards' panels as last rendered. */
  readonly #panels = new Map<LiveBoard, Rendered>();
  readonly #viewers = new Map<Viewer, { behind: boolean }>();

  /** @param now epoch milliseconds */
  constructor(boards: readonly LiveBoard[], metrics: Metrics, now: () => number) {
    this.#boards = boards;
    this.#metrics = metrics;
    this.#now = now;
    metrics.observeSockets(() => this.#viewers.size);
  }

  /** Adds a viewer and sends it everything. It sees what the others saw at the last tick, and goes on with them. */
  add(viewer: Viewer): void {
    if (this.#viewers.size === 0) this.#renderChanged();
    this.#viewers.set(viewer, { behind: false });
    this.#send(viewer, this.#snapshot());
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
  }

  /** Sends what changed since the last tick; to be called a few times a second. */
  tick(): void {
    if (this.#viewers.size === 0) return;
    const changed = this.#renderChanged();
    const update = changed.length > 0 ? this.#frame(changed) : null;
    let snapshot: Buffer | undefined;
    for (const [viewer, state] of this.#viewers) {
      if (viewer.bufferedAmount > MAX_BUFFERED_BYTES) {
        state.behind ||= update !== null;
      } else if (state.behind) {
        state.behind = false;
        snapshot ??= this.#snapshot();
        this.#send(viewer, snapshot);
      } else if (update) {
        this.#send(viewer, update);
      }
    }
  }

  /** Renders the boards that no longer look as they did, and returns those. */
  #renderChanged(): Rendered[] {
    const now = this.#now();
    return this.#boards.flatMap((board) => {
      const version = board.version(now);
      if (this.#panels.get(board)?.version === version) return [];
      const panel = panelOf(board.definition, board.view(now), board.status);
      const html = this.#metrics.timeRender(() => renderPanel(panel));
      const rendered = { version, id: panel.id, html };
      this.#panels.set(board, rendered);
      return [rendered];
    });
  }

  #snapshot(): Buffer {
    return this.#frame([...this.#panels.values()]);
  }

  #frame(panels: Rendered[]): Buffer {
    return Buffer.from(
      renderFrame(
        panels.map(({ id, html }) => [id, html]),
        this.#now(),
      ),
    );
  }

  #send(viewer: Viewer, frame: Buffer): void {
    viewer.send(frame, { binary: false });
    this.#metrics.frameSent(frame.byteLength);
  }
}
