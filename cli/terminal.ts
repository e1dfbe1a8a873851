import { styleText } from 'node:util';
import { printable } from './printable.ts';

/** Writes sentences to the terminal, and keeps one status line under them where the terminal can. */
export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #started = performance.now();
  #status = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** One sentence about what happens, with the seconds since the start. */
  say(sentence: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1).padStart(6);
    this.#write(`${styleText('dim', `${seconds} s`)}  ${printable(sentence)}\n`);
  }

  /** Text as it is. */
  print(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Replaces the status line. A file or a pipe gets none: it would only repeat itself. */
  status(text: string): void {
    if (!this.#out.isTTY) return;
    this.#status = printable(text).slice(0, this.#out.columns - 1);
    this.#write('');
  }

  #write(text: string): void {
    const clear = this.#out.isTTY ? '\r\x1b[2K' : '';
    this.#out.write(clear + text + this.#status);
  }
}
