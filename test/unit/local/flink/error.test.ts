import { describe, expect, it } from 'vitest';
import { rootCause } from '../../../../local/flink/error.ts';

describe('the root cause of a Flink job’s failure', () => {
  it('is the innermost of a stack trace, on one line without its package', () => {
    const trace = [
      'java.lang.RuntimeException: One or more fetchers have encountered exception',
      '\tat org.apache.flink.connector.base.source.reader.fetcher.SplitFetcherManager.checkErrors(SplitFetcherManager.java:333)',
      'Caused by: java.lang.RuntimeException: SplitFetcher thread 0 received unexpected exception while polling the records',
      '\t... 1 more',
      'Caused by: java.lang.NoClassDefFoundError: com/github/luben/zstd/BufferPool',
      '\tat org.apache.flink.kafka.shaded.org.apache.kafka.common.compress.ZstdCompression.wrapForZstdInput(ZstdCompression.java:93)',
      '\t... 14 more',
      '',
    ].join('\n');
    expect(rootCause(trace)).toBe('NoClassDefFoundError: com/github/luben/zstd/BufferPool');
  });

  it.each([
    ['java.lang.NullPointerException\n\tat a.B.c(B.java:1)\n', 'NullPointerException'],
    ['a.B$Inner: it failed\nand says more\n\tat a.B.c(B.java:1)\n', 'B$Inner: it failed'],
    ['', ''],
  ])('may have no cause, and no message: %j', (trace, cause) => {
    expect(rootCause(trace)).toBe(cause);
  });
});
