import { describe, expect, it } from 'vitest';
import { EventsWatch } from '../../../dashboard/events-watch.ts';

/** Whether the topic counts as another one after its ends were these, one after the other. */
function isReplaced(...answers: [partition: number, end: bigint][][]): boolean {
  const watch = new EventsWatch();
  for (const ends of answers) watch.sawEnds(new Map(ends));
  return watch.isReplaced;
}

describe('the events topic', () => {
  it.each<[string, boolean, [number, bigint][][]]>([
    ['is the same while its partitions grow', false, [[[0, 5n]], [[0, 5n]], [[0, 7n]]]],
    [
      'is the same with more partitions',
      false,
      [
        [[0, 5n]],
        [
          [0, 5n],
          [1, 0n],
        ],
      ],
    ],
    ['is the same from its first events on', false, [[], [[0, 5n]]]],
    [
      'is another one when an end fell',
      true,
      [
        [
          [0, 5n],
          [1, 9n],
        ],
        [
          [0, 6n],
          [1, 0n],
        ],
      ],
    ],
    [
      'is another one when a partition is gone',
      true,
      [
        [
          [0, 5n],
          [1, 9n],
        ],
        [[0, 5n]],
      ],
    ],
    ['stays another one while it grows', true, [[[0, 5n]], [[0, 1n]], [[0, 6n]]]],
  ])('%s', (_, expected, answers) => {
    expect(isReplaced(...answers)).toBe(expected);
  });
});
