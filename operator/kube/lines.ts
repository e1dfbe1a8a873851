const NEWLINE = 0x0a;

/**
 * The lines of a stream of UTF-8, each as soon as its newline is there, wherever the chunks are cut. It cuts
 * bytes, not text: no character holds the byte of a newline, but a chunk can end within a character. What
 * follows the last newline is a line too.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // The parts of a long line are joined once, when it is complete.
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString();
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (parts.length) yield Buffer.concat(parts).toString();
}
