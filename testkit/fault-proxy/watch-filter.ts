import { Transform, type TransformCallback } from 'node:stream';

/** An event of a watch, as far as a test needs it to choose. */
export interface WatchEvent {
  type: string;
  object: { kind?: string; metadata?: { name?: string; namespace?: string; resourceVersion?: string } };
}

export interface WatchFaults {
  /** Resolved while events may pass. */
  thawed: Promise<void>;
  /** Says which events get lost. */
  isDropped: ((event: WatchEvent) => boolean) | undefined;
}

const NEWLINE = 0x0a;

/** Lets the lines of a watch through, holding or losing them as the faults say that stand when they come. */
export class WatchFilter extends Transform {
  readonly #faults: WatchFaults;
  #rest: Buffer = Buffer.alloc(0);

  constructor(faults: WatchFaults) {
    super();
    this.#faults = faults;
  }

  /** While frozen nothing is taken in either: the server feels it as it would a slow client. */
  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    void this.#faults.thawed.then(() => {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      const whole = end > 0 ? Buffer.concat([this.#rest, chunk.subarray(0, end)]) : Buffer.alloc(0);
      this.#rest = end > 0 ? chunk.subarray(end) : Buffer.concat([this.#rest, chunk]);
      done(null, this.#kept(whole));
    });
  }

  /** A frozen stream does not end either. */
  override _flush(done: TransformCallback): void {
    void this.#faults.thawed.then(() => done());
  }

  #kept(lines: Buffer): Buffer | string {
    const { isDropped } = this.#faults;
    if (!isDropped) return lines;
    return lines
      .toString()
      .split(/(?<=\n)/)
      .filter((line) => line !== '' && !isDropped(JSON.parse(line)))
      .join('');
  }
}
