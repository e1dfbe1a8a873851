import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGap } from '../../../contract/history.ts';
import { playerRecord } from '../../../contract/players.ts';
import { ErasedPlayers } from '../../../history/erased-players.ts';
import { History } from '../../../history/history.ts';
import type { KafkaAdmin } from '../../../kafka/admin.ts';
import type { OffsetRange, StoredRecord } from '../../../kafka/topic-slices.ts';
import type { NewRecord, Position } from '../../../kafka/transactional-writer.ts';

/*
 * A model of Kafka, to be cut off at any step. That the program does the same with a real one is in
 * test/pipeline/history.test.ts.
 */

const BOARD = { topic: 'top', historyTopic: 'top-history', player: 'user_id' };
const PLAYERS = 'players';
const IDS = ['ann', 'bob', 'cid'];
const stop = new AbortController().signal;

class CutOffError extends Error {}

class Topic {
  first = 0n;
  /** Undefined: the end of a transaction. */
  readonly #places: (StoredRecord | undefined)[] = [];
  /** What the next look at the topic does not find yet, though it is committed. */
  late = 0;

  append({ key, value, timestampMillis = 0 }: NewRecord): void {
    const bytes = (content: string | Buffer | null) => (content === null ? null : Buffer.from(content));
    const offset = BigInt(this.#places.length);
    this.#places.push({ key: bytes(key), value: bytes(value), timestampMillis, offset });
  }

  endTransaction(): void {
    this.#places.push(undefined);
  }

  get records(): StoredRecord[] {
    return this.#places.filter((place) => place !== undefined).filter(({ offset }) => offset >= this.first);
  }

  async extent(): Promise<OffsetRange> {
    const end = this.next - BigInt(this.late);
    this.late = 0;
    return { first: this.first, end };
  }

  get next(): bigint {
    return BigInt(this.#places.length);
  }

  async read({ first, end }: OffsetRange, take: (records: StoredRecord[]) => void): Promise<void> {
    take(this.records.filter(({ offset }) => offset >= first && offset < end));
  }

  async newest(): Promise<StoredRecord | undefined> {
    return this.records.at(-1);
  }
}

class Cluster {
  readonly source = new Topic();
  readonly history = new Topic();
  readonly players = new Topic();
  readonly #commits = new Map<string, Position>();
  /** Where the program is cut off, to be started again; or whether its commit shows before its records. */
  cutOff: 'never' | 'before' | 'after' | 'deleting' | 'late' = 'never';
  #running: { history: History; erased: ErasedPlayers } | undefined;

  async advance(): Promise<void> {
    try {
      this.#running ??= await this.#start();
      const { history, erased } = this.#running;
      await erased.catchUp(stop);
      await history.advance(erased, 0, stop);
    } catch (error) {
      if (!(error instanceof CutOffError)) throw error;
      this.#running = undefined;
    }
  }

  async #start() {
    // Kafka lets nobody take over before all is complete.
    this.history.late = 0;
    const ask = <T>(act: (admin: KafkaAdmin) => Promise<T>) => act(this.#admin as unknown as KafkaAdmin);
    const withAdmin = (topic: Topic) => ({
      extent: () => topic.extent(),
      read: topic.read.bind(topic),
      newest: () => topic.newest(),
      ask,
    });
    const topics = { source: withAdmin(this.source), history: withAdmin(this.history) };
    const writer = { transact: this.#transact.bind(this) };
    const erased = new ErasedPlayers(withAdmin(this.players));
    return { erased, history: await History.open(BOARD, topics, writer, PLAYERS, stop) };
  }

  async #transact(act: Parameters<Parameters<typeof History.open>[2]['transact']>[0]): Promise<void> {
    const written: NewRecord[] = [];
    const committed: Position[] = [];
    await act({
      write: async (records) => {
        written.push(...records);
        return records.length > 0 ? this.history.next + BigInt(written.length) : undefined;
      },
      commit: async (_, positions) => void committed.push(...positions),
    });
    if (this.cutOff === 'before') throw new CutOffError();
    for (const record of written) this.history.append(record);
    this.history.endTransaction();
    if (this.cutOff === 'late') this.history.late = written.length + 1;
    for (const position of committed) this.#commits.set(position.topic, position);
    if (this.cutOff === 'after') throw new CutOffError();
  }

  #fetchOffset(topic: string) {
    const { next, note } = this.#commits.get(topic) ?? { next: -1n };
    return { partition: 0, offset: String(next), metadata: note ?? null };
  }

  readonly #admin = {
    fetchOffsets: async ({ topics }: { topics: string[] }) =>
      topics.map((topic) => ({
        topic,
        partitions: [this.#fetchOffset(topic)],
      })),
    deleteTopicRecords: async ({ partitions }: { partitions: { offset: string }[] }) => {
      if (this.cutOff === 'deleting') throw new CutOffError();
      this.history.first = BigInt(partitions[0]!.offset);
    },
  };
}

function change(at: number, ids: readonly string[]): NewRecord {
  const rows = ids.map((user_id, i) => ({ rnk: i + 1, user_id }));
  return { key: 'k', value: JSON.stringify({ at, rows }), timestampMillis: at };
}

const text = ({ value, timestampMillis }: StoredRecord) => ({ at: timestampMillis, value: String(value) });

describe('a history', () => {
  it('has each change once, and no player who is erased, wherever the program was cut off', async () => {
    const step = fc.oneof(
      fc.record({ write: fc.subarray(IDS) }),
      fc.record({ erase: fc.constantFrom(...IDS) }),
      fc.record({ advance: fc.constantFrom('never', 'before', 'after', 'deleting', 'late' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const cluster = new Cluster();
        const erased = new Set<string>();
        const written: { at: number; ids: string[] }[] = [];
        for (const one of steps) {
          if ('write' in one) {
            const at = 1000 + written.length;
            written.push({ at, ids: one.write });
            cluster.source.append(change(at, one.write));
          } else if ('erase' in one) {
            erased.add(one.erase);
            cluster.players.append(playerRecord(one.erase, 'erased'));
          } else {
            cluster.cutOff = one.advance as Cluster['cutOff'];
            await cluster.advance();
          }
        }
        cluster.cutOff = 'never';
        await cluster.advance();
        expect(cluster.history.records.map(text)).toEqual(
          written.map(({ at, ids }) => {
            const rows = ids.map((user_id, i) => ({ rnk: i + 1, user_id }));
            return {
              at,
              value: JSON.stringify({ at, rows: rows.filter((row) => !erased.has(row.user_id)) }),
            };
          }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('has a gap where its board was compacted first, right after the change before', async () => {
    const cluster = new Cluster();
    for (let i = 0; i < 5; i += 1) {
      cluster.source.append(change(1000 * i, ['ann']));
      if (i === 1) await cluster.advance();
    }
    cluster.source.first = 3n;
    await cluster.advance();
    expect(cluster.history.records.map(({ timestampMillis: at, value }) => [at, isGap(value)])).toEqual([
      [0, false],
      [1000, false],
      [1001, true],
      [3000, false],
      [4000, false],
    ]);
  });

  it('shows a player from the time on at which it is no longer erased', async () => {
    const cluster = new Cluster();
    for (const state of ['erased', undefined] as const) {
      cluster.players.append(playerRecord('ann', state));
      cluster.source.append(change(1000, ['ann', 'bob']));
      await cluster.advance();
    }
    const players = cluster.history.records.map(({ value }) =>
      (JSON.parse(String(value)).rows as { user_id: string }[]).map(({ user_id }) => user_id),
    );
    expect(players).toEqual([['bob'], ['ann', 'bob']]);
  });
});
