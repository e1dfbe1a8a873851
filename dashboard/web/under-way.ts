import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';

/*
 * Responses in flight to clients, which may be slow or never read at all. The bytes in flight to all of them
 * are bounded: when it is too much, the oldest are cut. Readers in good faith have theirs within a second or
 * two.
 */

/** How much may be under way; what several readers get at once counts once. */
const MOST_BYTES = 128 * 1024 * 1024;

/** How long a connection may stand still while something is under way. */
export const STANDSTILL_MILLIS = 15_000;

/** The part of a response that is needed here. */
export interface Answer {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

export class UnderWay {
  readonly #mostBytes: number;
  readonly #cut: () => void;
  /** Oldest first. */
  readonly #answers = new Map<Answer, object>();
  /** Who shares a content. */
  readonly #readers = new Map<object, { bytes: number; count: number }>();
  #bytes = 0;

  /** @param cut called for each answer that was cut */
  constructor(mostBytes: number, cut: () => void) {
    this.#mostBytes = mostBytes;
    this.#cut = cut;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** An answer sets out. @param content the same object when several get the same */
  add(answer: Answer, content: object, bytes: number): void {
    this.#answers.set(answer, content);
    const readers = this.#readers.get(content) ?? { bytes, count: 0 };
    if (readers.count === 0) this.#bytes += bytes;
    readers.count += 1;
    this.#readers.set(content, readers);
    answer.once('close', () => this.#remove(answer));
    this.#cutOldest(answer);
  }

  #cutOldest(newest: Answer): void {
    for (const answer of this.#answers.keys()) {
      if (this.#bytes <= this.#mostBytes || answer === newest) return;
      this.#remove(answer);
      this.#cut();
      answer.destroy();
    }
  }

  #remove(answer: Answer): void {
    const content = this.#answers.get(answer);
    const readers = content && this.#readers.get(content);
    this.#answers.delete(answer);
    if (!content || !readers) return;
    readers.count -= 1;
    if (readers.count > 0) return;
    this.#bytes -= readers.bytes;
    this.#readers.delete(content);
  }
}

/** Bounds what is under way of all answers. */
export function boundAnswers(app: FastifyInstance, metrics: Metrics): void {
  const underWay = new UnderWay(MOST_BYTES, () => metrics.refused('too slow'));
  app.addHook('onSend', async (_request, { raw }, payload) => {
    if (typeof payload === 'string') underWay.add(raw, { payload }, payload.length);
    else if (Buffer.isBuffer(payload)) underWay.add(raw, payload, payload.byteLength);
    return payload;
  });
}
