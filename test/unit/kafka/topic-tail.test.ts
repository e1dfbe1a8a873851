import { describe, expect, it } from 'vitest';
import type { OffsetRange, StoredRecord } from '../../../kafka/topic-slices.ts';
import { TopicTail } from '../../../kafka/topic-tail.ts';

const stop = new AbortController().signal;

/** A topic that has the records from one offset to before another. */
function topicOf(range: OffsetRange) {
  return {
    extent: async () => range,
    async read({ first, end }: OffsetRange, take: (records: StoredRecord[]) => void) {
      const count = Number(end - first);
      take(
        Array.from({ length: count }, (_, i) => ({
          key: null,
          value: null,
          timestampMillis: 0,
          offset: first + BigInt(i),
        })),
      );
    },
  };
}

async function offsets(tail: TopicTail): Promise<number[]> {
  const found: number[] = [];
  for await (const records of tail.catchUp(stop)) found.push(...records.map(({ offset }) => Number(offset)));
  return found;
}

const from = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i);

describe('the tail of a topic', () => {
  it('is what has come since the last time, each record once', async () => {
    const range = { first: 10n, end: 700n };
    const tail = new TopicTail(topicOf(range), () => {});
    expect(await offsets(tail)).toEqual(from(10, 700));
    expect(await tail.hasNew(stop)).toBe(false);
    range.end = 702n;
    expect(await tail.hasNew(stop)).toBe(true);
    expect(await offsets(tail)).toEqual([700, 701]);
    expect(tail.next).toBe(702n);
  });

  it('is read again from what the caller did not come to the end of', async () => {
    const tail = new TopicTail(topicOf({ first: 0n, end: 700n }), () => {}, 100n);
    let chunks = 0;
    for await (const _ of tail.catchUp(stop)) if (++chunks === 2) break;
    expect(await offsets(tail)).toEqual(from(300, 700));
  });

  it('is all of it once it is another topic of the name', async () => {
    const range = { first: 0n, end: 5n };
    let recreated = 0;
    const tail = new TopicTail(topicOf(range), () => {
      recreated += 1;
    });
    await offsets(tail);
    range.end = 2n;
    expect(await offsets(tail)).toEqual([0, 1]);
    expect(recreated).toBe(1);
  });
});
