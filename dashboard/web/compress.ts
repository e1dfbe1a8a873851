import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The encodings served, the smaller first. */
const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** What is compressed for one answer must be so at once; what is kept for all, as small as can be. */
export type Effort = 'quickly' | 'thoroughly';

const BROTLI_QUALITY: Record<Effort, number> = { quickly: 4, thoroughly: constants.BROTLI_MAX_QUALITY };
const GZIP_LEVEL: Record<Effort, number> = { quickly: 6, thoroughly: constants.Z_BEST_COMPRESSION };

/** The best encoding that a client takes, by its Accept-Encoding, if it takes one. */
export function encodingFor(accepted: string | string[] | undefined): Encoding | undefined {
  const taken = String(accepted ?? '')
    .split(',')
    .map((one) =>
      one
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/),
    )
    .filter(([, weight]) => weight === undefined || Number(weight) > 0)
    .map(([name]) => name);
  return ENCODINGS.find((encoding) => taken.includes(encoding));
}

export function compress(content: Buffer, encoding: Encoding, effort: Effort): Buffer {
  return encoding === 'gzip'
    ? gzipSync(content, gzipOptions(effort))
    : brotliCompressSync(content, brotliOptions(content, effort));
}

function gzipOptions(effort: Effort) {
  return { level: GZIP_LEVEL[effort] };
}

function brotliOptions(content: Buffer, effort: Effort) {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY[effort],
      [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
    },
  };
}

/** What fits into a packet or two gains nothing. */
const LEAST_BYTES = 1024;

const gzipped = promisify(gzip);
const brotliCompressed = promisify(brotliCompress);

/** Compresses what is made for a moment, without keeping others waiting. */
export function compressed(content: Buffer, encoding: Encoding): Promise<Buffer> {
  return encoding === 'gzip'
    ? gzipped(content, gzipOptions('quickly'))
    : brotliCompressed(content, brotliOptions(content, 'quickly'));
}

/** An onSend hook: compresses a text. */
export async function compressAnswer(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  reply.header('vary', 'accept-encoding');
  const encoding = encodingFor(headers['accept-encoding']);
  if (typeof payload !== 'string' || payload.length < LEAST_BYTES || !encoding) return payload;
  reply.header('content-encoding', encoding);
  return compressed(Buffer.from(payload), encoding);
}
