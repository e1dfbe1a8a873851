import { describe, expect, it } from 'vitest';
import { parseCause, rootCause } from '../../../../local/flink/error.ts';

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

describe('what Flink says of a query that fails while it runs', () => {
  it('is the cause alone', () => {
    const trace = [
      '<Exception on server side:',
      'org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.',
      '\tat a.B.c(B.java:1)',
      'Caused by: java.lang.RuntimeException: Failed to fetch next result',
      '\tat a.B.c(B.java:2)',
      'Caused by: java.lang.ArithmeticException: / by zero',
      '\tat a.B.c(B.java:3)',
      '\t... 5 more',
      '',
      'End of exception on server side>',
    ].join('\n');
    expect(parseCause(trace)).toEqual({ message: '/ by zero' });
  });
});
