import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lines } from '../../../../operator/kube/lines.ts';

const linesOf = (...chunks: Uint8Array[]) => Array.fromAsync(lines(Readable.from(chunks)));

describe('lines', () => {
  it('are the same wherever the stream is cut, even within a character', async () => {
    const line = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\n'));
    const cuts = fc.array(fc.nat(200));
    await fc.assert(
      fc.asyncProperty(fc.array(line), cuts, async (expected, at) => {
        const bytes = Buffer.from(expected.map((text) => `${text}\n`).join(''));
        const ends = [0, ...at.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
        expect(await linesOf(...chunks)).toEqual(expected);
      }),
    );
  });

  it('may be very long, and are put together only once', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const started = performance.now();
    const [line] = await linesOf(...Array<Buffer>(512).fill(chunk), Buffer.from('\n'));
    expect(line).toHaveLength(512 * chunk.length);
    // Joined again with each chunk these 32 MiB would be copied 256 times over.
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('need no newline at the end of the stream', async () => {
    expect(await linesOf(Buffer.from('one\ntwo'))).toEqual(['one', 'two']);
  });
});
