import kafkajs from 'kafkajs';
import type { KafkaAdmin } from './admin.ts';
import type { Position } from './transactional-writer.ts';

// No export that Node finds by name.
const { KafkaJSDeleteGroupsError } = kafkajs;

/** How far a consumer group has read a partition, as its commits say. */
export interface PartitionProgress {
  /** The first offset that is kept. */
  first: bigint;
  /** Of the first record at a moment or after it; the end of the partition, where there is none. */
  wanted: bigint;
  /** The offset after the last record that was read; undefined: there is no commit. */
  committed: bigint | undefined;
  /** What the commit says besides; undefined: nothing. */
  note: string | undefined;
}

/**
 * How far groups have read the partitions of a topic, up to a moment. The commits are asked for first: what
 * they are compared with is no older than they are.
 *
 * @param untilMillis epoch milliseconds
 * @returns the partitions, for each group
 * @throws what kafkajs reports when it cannot be known
 */
export async function fetchGroupProgress(
  admin: KafkaAdmin,
  { groups, topic, untilMillis }: { groups: readonly string[]; topic: string; untilMillis: number },
): Promise<PartitionProgress[][]> {
  const answers = groups.map((groupId) => admin.fetchOffsets({ groupId, topics: [topic] }));
  const committed = await Promise.all(answers);
  const wanted = await admin.fetchTopicOffsetsByTimestamp(topic, untilMillis);
  const kept = await admin.fetchTopicOffsets(topic);
  return committed.map(([commits]) =>
    wanted.map(({ partition, offset }) => {
      const commit = commits?.partitions.find((other) => other.partition === partition);
      const bounds = kept.find((other) => other.partition === partition);
      return {
        first: BigInt(bounds?.low ?? 0),
        wanted: BigInt(offset),
        committed: commit && Number(commit.offset) >= 0 ? BigInt(commit.offset) : undefined,
        note: commit?.metadata ?? undefined,
      };
    }),
  );
}

/** The commits of a group, by topics of one partition; without one, a topic is not there. */
export async function fetchPositions(
  admin: KafkaAdmin,
  groupId: string,
  topics: string[],
): Promise<Map<string, Position>> {
  const commits = await admin.fetchOffsets({ groupId, topics });
  return new Map(
    commits.flatMap(({ topic, partitions: [first] }): [string, Position][] =>
      first && Number(first.offset) >= 0
        ? [[topic, { topic, next: BigInt(first.offset), note: first.metadata ?? undefined }]]
        : [],
    ),
  );
}

/**
 * Whether a group has read all that was wanted, by its commits. Of a partition that has nothing before that,
 * there need be none; but there must be one at all.
 */
export function isReadUntil(partitions: readonly PartitionProgress[]): boolean {
  const isRead = ({ first, wanted, committed }: PartitionProgress) =>
    committed === undefined ? wanted <= first : committed >= wanted;
  return partitions.some(({ committed }) => committed !== undefined) && partitions.every(isRead);
}

/** By Kafka's protocol. */
const GROUP_ID_NOT_FOUND = 69;

/** Removes all commits of a group without members. A group that there is not has none. */
export async function forgetCommits(admin: KafkaAdmin, group: string): Promise<void> {
  try {
    await admin.deleteGroups([group]);
  } catch (error) {
    if (!(error instanceof KafkaJSDeleteGroupsError)) throw error;
    const [problem] = error.groups.filter(({ errorCode }) => errorCode !== GROUP_ID_NOT_FOUND);
    if (problem)
      throw new Error(`cannot remove the commits of the group ${group}: ${problem.error?.message}`);
  }
}
