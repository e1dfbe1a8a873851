/*
 * LZ4 frames, as Kafka writes them: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. Node has no
 * LZ4, and the packages are native or unmaintained. Checksums are ignored: Kafka checks each batch itself.
 */

const MAGIC = 0x184d2204;
const HAS_BLOCK_CHECKSUMS = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
const IS_UNCOMPRESSED = 0x80000000;

/** A length of 15 in a token continues in the bytes that follow. */
const LONG = 15;
const SHORTEST_MATCH = 4;

/**
 * @param maxBytes the most that may come out
 * @throws RangeError when it is more, or the frame is malformed
 */
export function decompressLz4(frame: Buffer, maxBytes: number): Buffer {
  const output = new Output(maxBytes);
  if (frame.readUInt32LE(0) !== MAGIC) throw new RangeError('this is no LZ4 frame');
  const flags = frame.readUInt8(4);
  // The descriptor: flags, the size of blocks, what the flags announce, and a checksum of them.
  let position = 7 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0);
  for (;;) {
    const header = frame.readUInt32LE(position);
    if (header === 0) return output.content;
    const end = position + 4 + (header & ~IS_UNCOMPRESSED);
    if (end > frame.length) throw new RangeError('an LZ4 block is cut short');
    const block = frame.subarray(position + 4, end);
    if (header & IS_UNCOMPRESSED) output.append(block);
    else decompressBlock(block, output);
    position = end + (flags & HAS_BLOCK_CHECKSUMS ? 4 : 0);
  }
}

function decompressBlock(block: Buffer, output: Output): void {
  let position = 0;
  const longLength = (first: number) => {
    let length = first;
    for (let byte = 255; first === LONG && byte === 255; length += byte) byte = block.readUInt8(position++);
    return length;
  };
  while (position < block.length) {
    const token = block.readUInt8(position++);
    const literals = longLength(token >> 4);
    if (position + literals > block.length) throw new RangeError('an LZ4 block is malformed');
    output.append(block.subarray(position, position + literals));
    position += literals;
    // The last sequence has literals only.
    if (position === block.length) return;
    const offset = block.readUInt16LE(position);
    position += 2;
    output.repeat(offset, longLength(token & LONG) + SHORTEST_MATCH);
  }
}

/** Grows as it is written, up to a limit. */
class Output {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get content(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  /** Appends what was written so many bytes ago, which may reach into what is appended. */
  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw new RangeError('an LZ4 match is of what there is not');
    this.#reserve(length);
    const end = this.#length + length;
    while (this.#length < end) {
      const from = this.#length - offset;
      const step = Math.min(offset, end - this.#length);
      this.#buffer.copy(this.#buffer, this.#length, from, from + step);
      this.#length += step;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#maxBytes) throw new RangeError(`more than ${this.#maxBytes} bytes`);
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.min(this.#maxBytes, Math.max(2 * this.#buffer.length, needed, 65_536)));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
