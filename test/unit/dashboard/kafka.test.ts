import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Kafka } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../../dashboard/events-watch.ts';
import { feed } from '../../../dashboard/topics/feed.ts';
import { readPast } from '../../../dashboard/topics/history.ts';
import { boardSource } from '../../../dashboard/topics/sources.ts';
import { watchUncountedEvents } from '../../../dashboard/topics/uncounted-events.ts';
import { kafkaAccess } from '../../../kafka/access.ts';
import { kafkaClient } from '../../../kafka/client.ts';
import { ReadProgress } from '../../../kafka/read-progress.ts';
import { TopicSlices } from '../../../kafka/topic-slices.ts';
import { NOW, season, team, topTeams } from './fixtures.ts';

describe('the progress of a reading', () => {
  it('is complete at once when there is nothing to read', () => {
    expect(new ReadProgress(new Map()).complete).toBe(true);
  });

  it('is complete when every partition has been read to where it ended', () => {
    const progress = new ReadProgress(
      new Map([
        [0, 10n],
        [1, 3n],
      ]),
    );
    progress.advance(0, 0n, 9n);
    expect(progress.complete).toBe(false);
    progress.advance(1, 0n, 5n);
    expect(progress.complete).toBe(true);
  });

  it('notices that offsets go back: the topic is another one', () => {
    const progress = new ReadProgress(new Map());
    expect(progress.advance(0, 0n, 9n)).toBe(true);
    expect(progress.advance(0, 12n, 20n)).toBe(true);
    expect(progress.advance(0, 0n, 3n)).toBe(false);
  });
});

describe('how far a reading lags behind', () => {
  it('is counted over all partitions, as of what each last said', () => {
    const progress = new ReadProgress(new Map());
    progress.advance(0, 0n, 9n);
    expect(progress.lag(0, 15n)).toBe(5);
    expect(progress.lag(1, 3n)).toBe(8);
    progress.advance(0, 10n, 14n);
    expect(progress.lag(0, 15n)).toBe(3);
  });
});

describe('a board’s source', () => {
  const arrivalsOf = (live: LiveBoard) => live.takeArrivals().map((at) => at - NOW);
  const read = () => {
    const live = new LiveBoard(topTeams);
    const { content, take } = boardSource(
      live,
      () => {},
      () => NOW,
    ).begin();
    return { live, content, take };
  };

  it('tells which events came to the board, but not of those that were there when reading began', () => {
    const { live, content, take } = read();
    take([season([team('a', 1, NOW - 900_000)]), season([team('a', 2, NOW - 800_000)])]);
    live.publish(content);
    take([season([team('a', 3, NOW - 400)])]);
    take([season([team('a', 4, NOW - 300), team('b', 1, NOW - 250)])]);
    expect(arrivalsOf(live)).toEqual([-400, -300, -250]);
    expect(arrivalsOf(live)).toEqual([]);
  });

  it('tells nothing of what is read again, when Kafka was away', () => {
    const { live, content, take } = read();
    take([season([team('a', 1, NOW - 900_000)])]);
    live.publish(content);
    live.markUnavailable('gone');
    const again = boardSource(
      live,
      () => {},
      () => NOW,
    ).begin();
    again.take([season([team('a', 9, NOW - 800_000)])]);
    live.publish(again.content);
    expect(arrivalsOf(live)).toEqual([]);
  });
});

const silent = { debug: () => {}, info: () => {}, warn: () => {} };

describe('the feed', () => {
  it('reports that Kafka is away on the board, and ends when it is aborted', async () => {
    const live = new LiveBoard(topTeams);
    const kafka = await kafkaThatIsAway();
    const stopping = new AbortController();
    const source = boardSource(
      live,
      () => {},
      () => 0,
    );
    const fed = feed(source, { kafka, log: silent, lagged: () => {} }, stopping.signal);
    await expect.poll(() => live.status.reason, { timeout: 5000 }).toContain('ECONNREFUSED');
    expect(live.status.kind).toBe('waiting');
    stopping.abort();
    await fed;
  });
});

describe('the watch for uncounted events', () => {
  const watched = async (kafka: Kafka) => {
    const watch = new EventsWatch();
    const stopping = new AbortController();
    const options = {
      kafka,
      topic: 'events',
      groups: ['flink'],
      watch,
      countedMillis: () => undefined,
      now: Date.now,
      log: silent,
    };
    const watching = watchUncountedEvents(options, stopping.signal);
    await expect.poll(() => watch.answers, { timeout: 20_000 }).toBe(false);
    expect(watch.uncountedSince).toBeUndefined();
    stopping.abort();
    await watching;
  };

  it('says that Kafka is not there', async () => {
    await watched(await kafkaThatIsAway());
  });

  it('says that Kafka hangs, which takes connections and does not answer', { timeout: 30_000 }, async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await watched(kafkaClient('dashboard', [`127.0.0.1:${port}`], kafkaAccess({}), silent));
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('says since when there are such events, and forgets it with each answer that there are none', () => {
    const watch = new EventsWatch();
    watch.answered(true, NOW);
    watch.answered(true, NOW + 2000);
    expect(watch.uncountedSince).toBe(NOW);
    watch.answered(false, NOW + 4000);
    expect(watch.uncountedSince).toBeUndefined();
    watch.answered(true, NOW + 6000);
    watch.unanswered();
    expect([watch.answers, watch.uncountedSince]).toEqual([false, undefined]);
  });
});

describe('the history', () => {
  it('says each time that Kafka is away', async () => {
    const topic = new TopicSlices(await kafkaThatIsAway(), 'history', 'dashboard');
    const never = new AbortController().signal;
    await expect(readPast(topic, topTeams, 0, never)).rejects.toThrow('ECONNREFUSED');
    await expect(readPast(topic, topTeams, 0, never)).rejects.toThrow('ECONNREFUSED');
  });

  it('does not begin what was given up while it waited for its turn', async () => {
    const topic = new TopicSlices(await kafkaThatIsAway(), 'history', 'dashboard');
    const first = readPast(topic, topTeams, 0, new AbortController().signal).catch(String);
    const given = readPast(topic, topTeams, 0, AbortSignal.abort(new Error('given up')));
    await expect(given).rejects.toThrow('given up');
    await first;
  });
});

async function kafkaThatIsAway() {
  return kafkaClient('dashboard', [`127.0.0.1:${await closedPort()}`], kafkaAccess({}), silent);
}

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
