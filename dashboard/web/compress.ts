import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The encodings served, the smaller first. */
const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** What is compressed for one answer must be so at once; what is kept for all, as small as can be. */
export type Effort = 'quickly' | 'thoroughly';

const BROTLI_QUALITY: Record<Effort, number> = { quickly: 4, thoroughly: constants.BROTLI_MAX_QUALITY };
const GZIP_LEVEL: Record<Effort, number> = { quickly: 6, thoroughly: constants.Z_BEST_COMPRESSION };

/** The best encoding that a client takes, by its Accept-Encoding; null: it takes none. */
export function encodingFor(accepted: string | string[] | undefined): Encoding | null {
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
  return ENCODINGS.find((encoding) => taken.includes(encoding)) ?? null;
}

export function compress(content: Buffer, encoding: Encoding, effort: Effort): Buffer {
  if (encoding === 'gzip') return gzipSync(content, { level: GZIP_LEVEL[effort] });
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY[effort],
    [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
  };
  return brotliCompressSync(content, { params });
}
