import type { BoardFilter } from '../page/page-state.ts';
import { renderFrame } from '../page/render.ts';
import type { Fragment, FragmentCache } from './fragments.ts';
import type { Metrics } from './metrics.ts';

/*
 * Pushing boards to browsers. Each tick renders what changed of what is viewed, once, and sends the same
 * bytes to every viewer of the same view. Nothing is queued for a viewer that cannot keep up: it is left out
 * until its socket has drained, and then gets everything as it is by then. Every viewer starts with a full
 * snapshot, so a reconnect needs no history.
 */

/** The part of a WebSocket that pushing needs. */
export interface Viewer {
  /** Bytes handed over and not yet taken by the network. */
  readonly bufferedAmount: number;
  send(frame: Buffer, options: { binary: boolean }): void;
}

export interface BroadcastOptions {
  fragments: FragmentCache;
  metrics: Metrics;
  /** Names the page that is served. */
  release: string;
  /** Epoch milliseconds. */
  now: () => number;
}

/** All viewers of the same view. */
interface Audience {
  view: BoardFilter;
  viewers: Map<Viewer, { behind: boolean }>;
  /** What a newcomer gets until the next tick. */
  snapshot?: Buffer | undefined;
}

/** A viewer with more than this under way is slow. */
const MAX_BUFFERED_BYTES = 64 * 1024;

export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #audiences = new Map<string, Audience>();

  constructor(options: BroadcastOptions) {
    this.#options = options;
    options.metrics.observeSockets(() =>
      [...this.#audiences.values()].reduce((total, { viewers }) => total + viewers.size, 0),
    );
  }

  /** Adds a viewer and sends it everything. It starts with what the others saw at the last tick. */
  add(viewer: Viewer, view: BoardFilter): void {
    const key = JSON.stringify([view.board, view.season, view.people, view.values]);
    const audience = this.#audiences.get(key) ?? { view, viewers: new Map() };
    this.#audiences.set(key, audience);
    audience.viewers.set(viewer, { behind: false });
    this.#send(viewer, this.#snapshot(audience));
  }

  remove(viewer: Viewer): void {
    for (const [key, { viewers }] of this.#audiences) {
      if (viewers.delete(viewer) && viewers.size === 0) this.#audiences.delete(key);
    }
  }

  /** Sends what changed since the last tick; to be called a few times a second. */
  tick(): void {
    const { fragments } = this.#options;
    fragments.tick();
    for (const audience of this.#audiences.values()) {
      audience.snapshot = undefined;
      const changed = fragments.of(audience.view).filter((fragment) => fragments.hasChanged(fragment));
      this.#update(audience, changed.length > 0 ? this.#frame(changed) : undefined);
    }
  }

  #update(audience: Audience, update: Buffer | undefined): void {
    for (const [viewer, state] of audience.viewers) {
      if (viewer.bufferedAmount > MAX_BUFFERED_BYTES) {
        state.behind ||= update !== undefined;
      } else if (state.behind) {
        state.behind = false;
        this.#send(viewer, this.#snapshot(audience));
      } else if (update) {
        this.#send(viewer, update);
      }
    }
  }

  #snapshot(audience: Audience): Buffer {
    audience.snapshot ??= this.#frame(this.#options.fragments.of(audience.view));
    return audience.snapshot;
  }

  #frame(fragments: Fragment[]): Buffer {
    const { now, release } = this.#options;
    return Buffer.from(renderFrame(fragments, { now: now(), release }));
  }

  #send(viewer: Viewer, frame: Buffer): void {
    viewer.send(frame, { binary: false });
    this.#options.metrics.frameSent(frame.byteLength);
  }
}
