import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compress, encodingFor } from '../../../dashboard/web/compress.ts';

describe('an encoding', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['GZIP ; q=1', 'gzip'],
    ['identity', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('for %j is %s', (accepted, encoding) => {
    expect(encodingFor(accepted)).toBe(encoding);
  });

  it('keeps the content', () => {
    const content = Buffer.from('score '.repeat(1000));
    expect(brotliDecompressSync(compress(content, 'br', 'quickly'))).toEqual(content);
    expect(gunzipSync(compress(content, 'gzip', 'thoroughly'))).toEqual(content);
  });
});
