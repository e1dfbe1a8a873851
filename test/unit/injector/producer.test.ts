import { describe, expect, it } from 'vitest';
import { EventProducer } from '../../../injector/producer.ts';
import { simulate } from '../../../injector/simulation.ts';
import type { ProducerRecord, ProducerSession } from '../../../kafka/producer.ts';
import { ARCADE } from './options.ts';

const PARTITIONS = 3;

function events(count: number) {
  const game = simulate(ARCADE, Date.UTC(2026, 10, 22));
  return Array.from({ length: count }, () => game.next().value);
}

/**
 * A log in memory, for the failures that a single real broker cannot be made to show. `answers` are used up
 * one per send.
 */
function createLog(answers: ('ok' | 'lost' | 'partial' | 'none')[], failuresToOpen = 0) {
  const stored: string[] = [];
  let opened = 0;
  let closed = 0;
  const failures: string[] = [];
  const openSession = async (): Promise<ProducerSession> => {
    opened++;
    if (opened <= failuresToOpen) throw new Error('no broker');
    return {
      async send(messages: ProducerRecord[]) {
        const answer = answers.shift() ?? 'ok';
        messages.forEach((message, i) => {
          message.partition ??= i % PARTITIONS;
        });
        const served = messages.filter(
          ({ partition }) =>
            answer === 'ok' || answer === 'lost' || (answer === 'partial' && partition === 0),
        );
        stored.push(...served.map(({ value }) => String(value)));
        if (answer === 'lost') throw new Error('out of order sequence number');
        return new Set(served.map(({ partition }) => partition as number));
      },
      close: async () => {
        closed++;
      },
    };
  };
  const producer = new EventProducer({
    openSession,
    encode: (event) => JSON.stringify(event),
    onFailure: (reason) => failures.push(reason),
    sleep: async () => {},
    maxMessagesPerSession: 100,
  });
  return { producer, stored, failures, links: () => ({ opened, closed }) };
}

describe('EventProducer', () => {
  it('stores events as they are encoded, keyed by user, with the time of sending', async () => {
    const [emission] = events(1);
    let sent: ProducerRecord[] = [];
    const producer = new EventProducer({
      openSession: async () => ({
        send: async (messages) => {
          sent = messages.map((message) => Object.assign(message, { partition: 0 }));
          return new Set([0]);
        },
        close: async () => {},
      }),
      encode: ({ score }) => Buffer.from([score]),
      onFailure: () => {},
      sleep: async () => {},
      maxMessagesPerSession: 100,
    });
    await producer.send(emission ? [emission] : []);
    expect(sent).toEqual([
      {
        key: emission?.event.user_id,
        value: Buffer.from([emission?.event.score ?? -1]),
        timestamp: String(Math.floor(emission?.at ?? 0)),
        partition: 0,
      },
    ]);
  });

  it('uses one link for all batches as long as it works', async () => {
    const { producer, stored, links } = createLog([]);
    for (let i = 0; i < 5; i++) await producer.send(events(10));
    expect(stored).toHaveLength(50);
    expect(links()).toEqual({ opened: 1, closed: 0 });
  });

  it('sends what was not acknowledged, and only that, over the same link', async () => {
    const { producer, stored, failures, links } = createLog(['partial']);
    const batch = events(9);
    await producer.send(batch);
    expect([...stored].sort()).toEqual(batch.map(({ event }) => JSON.stringify(event)).sort());
    expect(failures).toEqual([]);
    expect(links()).toEqual({ opened: 1, closed: 0 });
  });

  it('gives up a link that acknowledges nothing, as when the partitions it chose are gone', async () => {
    const { producer, stored, failures, links } = createLog(['partial', 'none']);
    const batch = events(9);
    await producer.send(batch);
    expect([...stored].sort()).toEqual(batch.map(({ event }) => JSON.stringify(event)).sort());
    expect(failures).toEqual(['no acknowledgement for 6 events']);
    expect(links()).toEqual({ opened: 2, closed: 1 });
  });

  it('loses nothing when links give up again and again', async () => {
    const { producer, stored, failures, links } = createLog(['lost', 'partial', 'lost', 'ok']);
    const batch = events(30);
    await producer.send(batch);
    expect(new Set(stored)).toEqual(new Set(batch.map(({ event }) => JSON.stringify(event))));
    expect(failures).toHaveLength(2);
    expect(links()).toEqual({ opened: 3, closed: 2 });
  });

  it('keeps trying when no link can be opened', async () => {
    const { producer, stored, failures } = createLog([], 3);
    await producer.send(events(5));
    expect(stored).toHaveLength(5);
    expect(failures).toEqual(['no broker', 'no broker', 'no broker']);
  });

  it('replaces a link, without a failure, before its sequence numbers run out', async () => {
    const { producer, stored, failures, links } = createLog([]);
    for (let i = 0; i < 25; i++) await producer.send(events(10));
    expect(stored).toHaveLength(250);
    expect(links()).toEqual({ opened: 3, closed: 2 });
    expect(failures).toEqual([]);
  });
});
