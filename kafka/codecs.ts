import { promisify } from 'node:util';
import { unzip, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { uncompress as decompressSnappy } from 'snappyjs';
import { decompressLz4 } from './lz4.ts';

/*
 * All codecs of Kafka, for reading. kafkajs itself knows gzip alone, and unpacks whatever comes of it: a
 * batch of kilobytes can be one of gigabytes.
 */

// No exports that Node finds by name.
const { CompressionCodecs, CompressionTypes } = kafkajs;

/**
 * What a batch may become at most: a board of a thousand ranks with the longest names, several times over.
 */
export const MOST_BYTES = 32 * 1024 * 1024;

type Decompress = (batch: Buffer) => Promise<Buffer>;

const unzipped = promisify(unzip);
const zstdDecompressed = promisify(zstdDecompress);

/** Teaches kafkajs the codecs, for the whole process. */
export function installCodecs(): void {
  install('GZIP', (batch) => unzipped(batch, { maxOutputLength: MOST_BYTES }));
  install('ZSTD', (batch) => zstdDecompressed(batch, { maxOutputLength: MOST_BYTES }));
  install('LZ4', async (batch) => decompressLz4(batch, MOST_BYTES));
  install('Snappy', async (batch) => decompressXerial(batch));
}

function install(name: 'GZIP' | 'ZSTD' | 'LZ4' | 'Snappy', decompress: Decompress): void {
  const codec = {
    compress: async () => {
      throw new Error('this program writes nothing');
    },
    decompress: async (batch: Buffer) => {
      try {
        return await decompress(batch);
      } catch (error) {
        const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
        const reason = isTooLarge ? `more than ${MOST_BYTES} bytes` : (error as Error).message;
        throw new Error(`a batch in ${name} cannot be unpacked: ${reason}`);
      }
    },
  };
  CompressionCodecs[CompressionTypes[name]] = () => codec;
}

/** Java's Snappy writes its own blocks after a header; others write one plain Snappy block. */
const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEADER_BYTES = 16;

function decompressXerial(batch: Buffer): Buffer {
  if (!batch.subarray(0, XERIAL.length).equals(XERIAL)) return decompressSnappy(batch, MOST_BYTES);
  const blocks: Buffer[] = [];
  let left = MOST_BYTES;
  for (let position = XERIAL_HEADER_BYTES; position < batch.length; ) {
    const start = position + 4;
    const end = start + batch.readUInt32BE(position);
    if (end > batch.length) throw new RangeError('a Snappy block is cut short');
    const block = decompressSnappy(batch.subarray(start, end), left);
    blocks.push(block);
    left -= block.length;
    position = end;
  }
  return Buffer.concat(blocks);
}
