import { GAP, historyGroup, type KeptBoard, parseEnd, printEnd } from '../contract/history.ts';
import { fetchPositions } from '../kafka/group-progress.ts';
import type { StoredRecord, TopicSlices } from '../kafka/topic-slices.ts';
import { TopicTail } from '../kafka/topic-tail.ts';
import type { NewRecord, TransactionalWriter } from '../kafka/transactional-writer.ts';
import { sleep } from '../lib/sleep.ts';
import { withoutPlayers } from './erase.ts';
import type { ErasedPlayers } from './erased-players.ts';

/*
 * The history of one board, of which this is the one writer.
 *
 * Records are copied from the board's topic in its order, in transactions that also commit how far that has
 * been read: none is there twice, and none is missing. That topic is compacted, but not within an hour. What
 * was compacted before it was copied is a gap, which a record says, so that readers know that they do not
 * know.
 *
 * When a player is erased, all that there is is written again without the player, in one transaction:
 * readers see the one or the other. Each record keeps its time, by which readers find it. The transaction
 * also commits where the copy begins. What lies before that is then deleted; if that is cut short, the next
 * start finds the commit.
 *
 * Kafka may show a commit before the records of its transaction. So it says where they end, and who needs
 * them waits until they are there.
 */

/** A topic, as far as it is read here. */
type Topic = Pick<TopicSlices, 'extent' | 'read' | 'newest' | 'ask'>;

type Writer = Pick<TransactionalWriter, 'transact'>;

interface Topics {
  /** The board's. */
  source: Topic;
  history: Topic;
}

/** Offsets up to which each topic is done with. */
interface Positions {
  /** What is before it has been copied. */
  source: bigint;
  /** What is before it is to be deleted. */
  history: bigint;
  /** After the last record of the history. */
  end: bigint;
  /** Those who are erased before it are in no record. */
  players: bigint;
}

/** Kafka forgets commits a week after the last. */
const COMMIT_AGAIN_MILLIS = 3_600_000;

/** How long the records of a transaction may take to be there once it is committed; milliseconds, mostly. */
const WHOLE_MILLIS = 30_000;
const LOOK_AGAIN_MILLIS = 20;

export class History {
  readonly #board: KeptBoard;
  readonly #topics: Topics;
  readonly #writer: Writer;
  readonly #playersTopic: string | undefined;
  #positions: Positions;
  /** When the last record of the history was written, in epoch milliseconds; undefined: it has none. */
  #newestMillis: number | undefined;
  readonly #tail: TopicTail;
  #isOldDeleted = false;
  #committedMillis = Number.NEGATIVE_INFINITY;

  private constructor(
    board: KeptBoard,
    topics: Topics,
    writer: Writer,
    playersTopic: string | undefined,
    positions: Positions,
    newestMillis: number | undefined,
  ) {
    this.#board = board;
    this.#topics = topics;
    this.#writer = writer;
    this.#playersTopic = playersTopic;
    this.#positions = positions;
    this.#newestMillis = newestMillis;
    // A topic that is made again has offsets that do not follow those before: that is a gap.
    this.#tail = new TopicTail(topics.source, () => {}, positions.source);
  }

  /**
   * Resumes where the writer before has come to.
   *
   * @param writer that of the history, which has shut out all others
   * @param playersTopic undefined: nobody can be erased
   */
  static async open(
    board: KeptBoard,
    topics: Topics,
    writer: Writer,
    playersTopic: string | undefined,
    signal: AbortSignal,
  ): Promise<History> {
    const { topic, historyTopic } = board;
    const group = historyGroup(historyTopic);
    const names = [topic, historyTopic, ...(playersTopic === undefined ? [] : [playersTopic])];
    const commits = await topics.history.ask((admin) => fetchPositions(admin, group, names), signal);
    // All that was committed before is there now, unless it is another topic of the name.
    const { end } = await topics.history.extent(Number.POSITIVE_INFINITY, signal);
    const written = parseEnd(commits.get(topic)?.note);
    const positions = {
      source: commits.get(topic)?.next ?? 0n,
      history: commits.get(historyTopic)?.next ?? 0n,
      end: written < end ? written : end,
      players: commits.get(playersTopic ?? '')?.next ?? 0n,
    };
    const newest = await topics.history.newest(signal);
    return new History(board, topics, writer, playersTopic, positions, newest?.timestampMillis);
  }

  /**
   * Erases players and copies what has come.
   *
   * @param erased players, as of now
   * @param now epoch milliseconds
   * @returns how many records were copied, and whether all was written again
   * @throws when it is not known what is done: open it again
   */
  async advance(
    erased: ErasedPlayers,
    now: number,
    signal: AbortSignal,
  ): Promise<{ copied: number; isRewritten: boolean }> {
    // A topic of players that begins again has offsets of its own.
    const since = this.#positions.players > erased.next ? 0n : this.#positions.players;
    const isRewritten = this.#board.player !== undefined && erased.hasSince(since);
    if (isRewritten) await this.#rewrite(erased, now, signal);
    await this.#deleteOld(signal);
    const isDue = now - this.#committedMillis > COMMIT_AGAIN_MILLIS || (await this.#tail.hasNew(signal));
    return { copied: isDue ? await this.#copy(erased, now, signal) : 0, isRewritten };
  }

  /**
   * In one transaction, whose end alone has another time than its records: readers search by time.
   *
   * @returns how many records were new
   */
  async #copy(erased: ErasedPlayers, now: number, signal: AbortSignal): Promise<number> {
    let copied = 0;
    await this.#transact(now, async (write) => {
      let { source } = this.#positions;
      for await (const records of this.#tail.catchUp(signal)) {
        const copies: NewRecord[] = [];
        for (const record of records) {
          // Right after the last record: since then it is not known what else was written.
          const newestMillis = this.#newestMillis ?? record.timestampMillis - 1;
          if (record.offset !== source) copies.push({ ...GAP, timestampMillis: newestMillis + 1 });
          copies.push(this.#withoutErased(record, erased));
          source = record.offset + 1n;
          this.#newestMillis = record.timestampMillis;
        }
        await write(copies);
        copied += records.length;
      }
      return { source, players: erased.next };
    });
    return copied;
  }

  async #rewrite(erased: ErasedPlayers, now: number, signal: AbortSignal): Promise<void> {
    const all = new TopicTail(this.#topics.history, () => {}, this.#positions.history);
    await this.#untilWhole(signal);
    await this.#transact(now, async (write) => {
      for await (const records of all.catchUp(signal))
        await write(records.map((record) => this.#withoutErased(record, erased)));
      return { history: all.next, players: erased.next };
    });
    this.#isOldDeleted = false;
  }

  /** Waits until Kafka shows all that is committed. */
  async #untilWhole(signal: AbortSignal): Promise<void> {
    const until = Date.now() + WHOLE_MILLIS;
    const isWhole = async () => {
      const { end } = await this.#topics.history.extent(Number.POSITIVE_INFINITY, signal);
      return end >= this.#positions.end;
    };
    while (!(await isWhole())) {
      if (Date.now() > until) throw new Error(`${this.#board.historyTopic} lacks what was written to it`);
      await sleep(LOOK_AGAIN_MILLIS, signal);
      signal.throwIfAborted();
    }
  }

  async #deleteOld(signal: AbortSignal): Promise<void> {
    if (this.#isOldDeleted) return;
    const { historyTopic } = this.#board;
    const { history } = this.#topics;
    const { first } = await history.extent(Number.POSITIVE_INFINITY, signal);
    const { history: offset } = this.#positions;
    const partitions = [{ partition: 0, offset: String(offset) }];
    if (offset > first)
      await history.ask((admin) => admin.deleteTopicRecords({ topic: historyTopic, partitions }), signal);
    this.#isOldDeleted = true;
  }

  #withoutErased({ key, value, timestampMillis }: StoredRecord, erased: ErasedPlayers): NewRecord {
    const { player } = this.#board;
    const isWhole = player === undefined || erased.isEmpty;
    const kept = isWhole ? value : withoutPlayers(value, player, (id) => erased.has(id));
    return { key, value: kept, timestampMillis };
  }

  /** @param act writes records, and resolves to the positions that have changed */
  async #transact(
    now: number,
    act: (write: (records: NewRecord[]) => Promise<void>) => Promise<Partial<Positions>>,
  ): Promise<void> {
    const { topic, historyTopic } = this.#board;
    let positions = this.#positions;
    await this.#writer.transact(async (transaction) => {
      let { end } = positions;
      const changed = await act(async (records) => {
        end = (await transaction.write(records)) ?? end;
      });
      positions = { ...positions, ...changed, end };
      await transaction.commit(historyGroup(historyTopic), [
        { topic, next: positions.source, note: printEnd(positions.end) },
        { topic: historyTopic, next: positions.history },
        ...(this.#playersTopic === undefined ? [] : [{ topic: this.#playersTopic, next: positions.players }]),
      ]);
    });
    this.#positions = positions;
    this.#committedMillis = now;
  }
}
