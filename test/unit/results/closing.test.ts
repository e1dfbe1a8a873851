import { describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import { Players } from '../../../contract/players.ts';
import { isReadUntil, type PartitionProgress } from '../../../kafka/group-progress.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import { BoardSeasons } from '../../../results/board-seasons.ts';

const HOUR = 3_600_000;

function partition(first: number, wanted: number, committed?: number): PartitionProgress {
  return {
    first: BigInt(first),
    wanted: BigInt(wanted),
    committed: committed === undefined ? undefined : BigInt(committed),
    note: undefined,
  };
}

describe('a job has read until a moment', () => {
  it.each([
    ['when it has committed the first offset after it', [partition(0, 5, 5)], true],
    ['when it is beyond', [partition(0, 5, 9)], true],
    ['not before', [partition(0, 5, 4)], false],
    ['not when a partition lags', [partition(0, 5, 5), partition(0, 3, 2)], false],
    ['not when a partition with records has no commit', [partition(0, 5, 5), partition(0, 3)], false],
    ['when the others have no records before it', [partition(0, 5, 5), partition(3, 3)], true],
    ['not when there is no commit at all', [partition(0, 0), partition(3, 3)], false],
    ['not when there is no partition', [], false],
  ])('%s', (_, partitions, expected) => {
    expect(isReadUntil(partitions)).toBe(expected);
  });
});

describe('the seasons of a board', () => {
  const definition = boardDefinition.parse({
    name: 'teams',
    title: 'Teams',
    topic: 'teams',
    digest: 'd1',
    size: 3,
    period: { kind: 'season', lengthMillis: HOUR, latestArrivalMillis: HOUR },
    identity: ['team_id'],
    columns: [{ name: 'total', label: 'Total', type: 'integer' }],
  });
  const stop = new AbortController().signal;

  function write(season: number, total: number, timestampMillis = season): KafkaRecord {
    const value = { digest: 'd1', rows: [{ rnk: 1, team_id: 'a', total }] };
    const [key, text] = [{ season_start: season }, value].map((part) => Buffer.from(JSON.stringify(part)));
    return { key: key!, value: text!, timestampMillis };
  }

  /** A board whose topic has these records; more can be added. */
  function follow(records: KafkaRecord[], keptMillis?: number, board = definition) {
    const incomplete: string[] = [];
    const seasons = new BoardSeasons({
      source: { namespace: 'games', name: 'arcade' },
      definition: board,
      topic: {
        extent: async () => ({ first: 0n, end: BigInt(records.length) }),
        read: async ({ first, end }, take) =>
          take(records.slice(Number(first), Number(end)).map((record) => ({ ...record, offset: first }))),
      },
      keptMillis,
      onIncomplete: (id) => incomplete.push(id),
    });
    const due = async (now: number, written: string[] = []) => {
      await seasons.catchUp((id) => written.includes(id), stop);
      return seasons.dueSeasons(now);
    };
    return { seasons, due, incomplete };
  }

  it('are due once they are frozen, as they were last written, until they have a result', async () => {
    const records = [write(0, 1), write(HOUR, 5), write(0, 2)];
    const { due, seasons } = follow(records);
    expect(await due(2 * HOUR - 1)).toEqual([]);
    const [first, ...others] = await due(2 * HOUR);
    expect(others).toEqual([]);
    expect(seasons.finish(first!, new Players())?.result.data.rows).toEqual([
      { rank: 1, team_id: 'a', total: 2 },
    ]);
    seasons.forget(first!.season);
    expect(await due(2 * HOUR)).toEqual([]);
    records.push(write(0, 3));
    expect(await due(2 * HOUR, [first!.season.id])).toEqual([]);
  });

  it('are not the newest any more when they are written again, even with the same rows', async () => {
    const records = [write(0, 1)];
    const { due, seasons } = follow(records);
    const [first] = await due(9 * HOUR);
    expect(seasons.finish(first!, new Players())?.result.data.rows).toHaveLength(1);
    records.push(write(0, 1));
    await due(9 * HOUR);
    expect(seasons.finish(first!, new Players())).toBeUndefined();
  });

  it('have no result while all players on their board are hidden', async () => {
    const records = [write(0, 1)];
    const { due, seasons } = follow(records, undefined, { ...definition, player: 'team_id' });
    const players = new Players();
    players.apply('a', '{"hidden":true}');
    const [first] = await due(9 * HOUR);
    expect(seasons.finish(first!, players)).toBeUndefined();
    expect(await due(9 * HOUR)).toEqual([]);
    records.push(write(0, 2));
    const [again] = await due(9 * HOUR);
    players.apply('a', undefined);
    expect(seasons.finish(again!, players)?.result.data.rows).toHaveLength(1);
  });

  it('are those of the new topic when it is created again', async () => {
    const records = [write(0, 1), write(HOUR, 1)];
    const { due } = follow(records);
    expect(await due(9 * HOUR)).toHaveLength(2);
    records.splice(0, 2, write(5 * HOUR, 1));
    expect((await due(9 * HOUR)).map(({ season }) => season.startMillis)).toEqual([5 * HOUR]);
  });

  it('have none when they were written after their first events may have been deleted', async () => {
    const records = [write(0, 1, 24 * HOUR), write(HOUR, 1, 25 * HOUR + 1)];
    const { due, incomplete } = follow(records, 24 * HOUR);
    expect((await due(99 * HOUR)).map(({ season }) => season.startMillis)).toEqual([0]);
    await due(99 * HOUR);
    expect(incomplete).toEqual(['games/arcade/teams/1970-01-01T01:00:00.000Z']);
    expect(await follow(records).due(99 * HOUR)).toHaveLength(2);
  });
});
