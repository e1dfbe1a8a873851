import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { compress as compressSnappy } from 'snappyjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { installCodecs, MOST_BYTES } from '../../../kafka/codecs.ts';
import { decompressLz4 } from '../../../kafka/lz4.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

beforeAll(installCodecs);

const decompress = (type: keyof typeof CompressionCodecs, batch: Buffer): Promise<Buffer> =>
  CompressionCodecs[type]().decompress(batch);

const CONTENT = Buffer.from(`{"rows":[${'{"rnk":1,"team_name":"Azure Otter"},'.repeat(500)}]}`);

/** What Java's Snappy makes of it: a header, and blocks of 32 KiB. */
function xerial(content: Buffer): Buffer {
  const blocks = Array.from({ length: Math.ceil(content.length / 32_768) }, (_, index) => {
    const block = compressSnappy(content.subarray(32_768 * index, 32_768 * (index + 1)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return Buffer.concat([length, block]);
  });
  return Buffer.concat([Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1'), ...blocks]);
}

/** An LZ4 frame of blocks that are already made. */
function frame(blocks: Buffer[], { compressed = true, flags = 0x60 } = {}): Buffer {
  const parts = blocks.map((block) => {
    const header = Buffer.alloc(4);
    header.writeUInt32LE((block.length | (compressed ? 0 : 0x80000000)) >>> 0);
    return Buffer.concat([header, block]);
  });
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0x00]), ...parts, Buffer.alloc(4)]);
}

/** A block of one literal and a match that repeats it: a byte of input for 255 of output. */
function repeated(letter: string, times: number): Buffer {
  const length = times - 1 - 4 - 15;
  const long = [...Array.from({ length: Math.floor(length / 255) }, () => 255), length % 255];
  return Buffer.from([0x1f, letter.charCodeAt(0), 1, 0, ...long]);
}

describe('a batch', () => {
  it.each([
    ['gzip', CompressionTypes.GZIP, gzipSync(CONTENT)],
    ['zstd', CompressionTypes.ZSTD, zstdCompressSync(CONTENT)],
    ['Snappy', CompressionTypes.Snappy, compressSnappy(CONTENT)],
    ['Java’s Snappy', CompressionTypes.Snappy, xerial(CONTENT)],
    ['LZ4, stored', CompressionTypes.LZ4, frame([CONTENT], { compressed: false })],
  ] as const)('is read in %s', async (_, type, batch) => {
    expect((await decompress(type, batch)).equals(CONTENT)).toBe(true);
  });

  it.each([
    ['gzip', CompressionTypes.GZIP, () => gzipSync(Buffer.alloc(MOST_BYTES + 1))],
    ['zstd', CompressionTypes.ZSTD, () => zstdCompressSync(Buffer.alloc(MOST_BYTES + 1))],
    ['Snappy', CompressionTypes.Snappy, () => Buffer.from([0x81, 0x80, 0x80, 0x10, 0, 0])],
    ['Java’s Snappy', CompressionTypes.Snappy, () => xerial(Buffer.alloc(MOST_BYTES + 1))],
    ['LZ4', CompressionTypes.LZ4, () => frame([repeated('x', MOST_BYTES + 1)])],
  ] as const)('that becomes too large is refused: %s', async (_, type, batch) => {
    await expect(decompress(type, batch())).rejects.toThrow(
      /^a batch in \w+ cannot be unpacked: .*(\d{8}|too big)/,
    );
  });

  it.each([
    ['gzip', CompressionTypes.GZIP],
    ['zstd', CompressionTypes.ZSTD],
    ['Snappy', CompressionTypes.Snappy],
    ['LZ4', CompressionTypes.LZ4],
  ] as const)('of rubbish is refused: %s', async (_, type) => {
    for (const rubbish of [randomBytes(5000), Buffer.alloc(0), Buffer.alloc(100, 0xff)])
      await expect(decompress(type, rubbish)).rejects.toThrow('cannot be unpacked');
  });
});

describe('LZ4', () => {
  it('repeats what was written, across blocks and within itself', () => {
    // "ab", then ten bytes from two bytes ago; in the next block "c", then five bytes from eight ago, then
    // "d".
    const first = Buffer.from([0x26, 97, 98, 2, 0, 0x00]);
    const second = Buffer.from([0x11, 99, 8, 0, 0x10, 100]);
    expect(decompressLz4(frame([first, second]), 100).toString()).toBe('abababababab' + 'c' + 'babab' + 'd');
  });

  it('has lengths of any size', () => {
    expect(decompressLz4(frame([repeated('x', 70_000)]), 70_000).toString()).toBe('x'.repeat(70_000));
  });

  it('takes no bytes but those of its content, whatever is flagged', () => {
    const flagged = frame([Buffer.from('ab')], { compressed: false, flags: 0x68 });
    const sized = Buffer.concat([flagged.subarray(0, 6), Buffer.alloc(8), flagged.subarray(6)]);
    expect(decompressLz4(sized, 10).toString()).toBe('ab');
  });

  it('never writes more than it may, nor reads what there is not', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), fc.nat(500), (blocks, most) => {
        try {
          const output = decompressLz4(frame(blocks.map((block) => Buffer.from(block))), most);
          expect(output.length).toBeLessThanOrEqual(most);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
