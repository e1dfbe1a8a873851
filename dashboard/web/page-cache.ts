import { compressed, type Encoding } from './compress.ts';

/*
 * Pages, each rendered and compressed at most once per tick, however many request it. A search has its own
 * page, which is for one reader: marking what it finds takes a tenth of the time at most, and what is not
 * marked here the page's script marks.
 */

/** A page that is ready to be sent. */
export interface ReadyPage {
  content: Buffer;
  encoded(encoding: Encoding): Promise<Buffer>;
}

export interface PageCacheOptions<Look> {
  render(look: Look, marked: boolean): string;
  /** Pages are those of a tick. */
  currentTick(): number;
  /** Milliseconds of a clock that only goes forward. */
  clock(): number;
}

/** The part of the time that searches may take. */
const SEARCHING = 0.1;

/** More is kept for a tick only in pages that are being sent. */
const MOST_BYTES = 64 * 1024 * 1024;

export class PageCache<Look extends { search: string }> {
  readonly #options: PageCacheOptions<Look>;
  readonly #pages = new Map<string, ReadyPage>();
  #tick = -1;
  #bytes = 0;
  #searchAgainMillis = Number.NEGATIVE_INFINITY;

  constructor(options: PageCacheOptions<Look>) {
    this.#options = options;
  }

  get(look: Look): ReadyPage {
    if (look.search !== '') return readyPage(this.#search(look));
    const tick = this.#options.currentTick();
    if (tick !== this.#tick || this.#bytes > MOST_BYTES) {
      this.#tick = tick;
      this.#bytes = 0;
      this.#pages.clear();
    }
    const key = JSON.stringify(look);
    const page = this.#pages.get(key) ?? readyPage(this.#options.render(look, false));
    if (!this.#pages.has(key)) this.#bytes += page.content.byteLength;
    this.#pages.set(key, page);
    return page;
  }

  #search(look: Look): string {
    const { render, clock } = this.#options;
    const start = clock();
    if (start < this.#searchAgainMillis) return render(look, false);
    const html = render(look, true);
    this.#searchAgainMillis = clock() + (clock() - start) * (1 / SEARCHING - 1);
    return html;
  }
}

export function readyPage(html: string): ReadyPage {
  const content = Buffer.from(html);
  const encoded = new Map<Encoding, Promise<Buffer>>();
  return {
    content,
    encoded(encoding) {
      const under = encoded.get(encoding) ?? compressed(content, encoding);
      encoded.set(encoding, under);
      return under;
    },
  };
}
