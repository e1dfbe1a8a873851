import { describe, expect, it } from 'vitest';
import { judgeKafka } from '../../../../operator/pipeline/kafka.ts';
import { live } from './live.ts';

const LISTENERS = [
  { name: 'plain', bootstrapServers: 'kafka:9092' },
  { name: 'tls', bootstrapServers: 'kafka:9093' },
];
const READY = { type: 'Ready', status: 'True' };

const kafka = (status?: object) => live('Kafka', { status }, { name: 'games' });
const judge = (object = kafka(), listener = 'tls', served = true) =>
  judgeKafka(served, object, 'games', listener);

describe('Kafka', () => {
  it('is available at the address of the wanted listener', () => {
    const { verdict, bootstrapServers } = judge(kafka({ listeners: LISTENERS, conditions: [READY] }));
    expect(bootstrapServers).toBe('kafka:9093');
    expect(verdict).toMatchObject({ status: 'True', reason: 'Available' });
  });

  it('that is not ready is told in Strimzi’s words, and its address is still known', () => {
    const conditions = [
      { type: 'NotReady', status: 'True', reason: 'StrimziTimeoutException', message: 'Exceeded' },
    ];
    const { verdict, bootstrapServers } = judge(kafka({ listeners: LISTENERS, conditions }));
    expect(bootstrapServers).toBe('kafka:9093');
    expect(verdict).toMatchObject({ status: 'False', reason: 'NotReady' });
    expect(verdict.message).toBe("Kafka 'games': StrimziTimeoutException: Exceeded");
  });

  it('without the wanted listener is told with those it has', () => {
    const { verdict, bootstrapServers } = judge(
      kafka({ listeners: LISTENERS, conditions: [READY] }),
      'external',
    );
    expect(bootstrapServers).toBeUndefined();
    expect(verdict.reason).toBe('ListenerMissing');
    expect(verdict.message).toMatch(/no listener 'external' with an address; it has: plain, tls/);
  });

  it('that has just been made has no address yet', () => {
    expect(judge(kafka()).verdict).toMatchObject({ status: 'False', reason: 'Pending' });
  });

  it('that is not there, and a cluster without Strimzi, are told with what to do', () => {
    expect(judgeKafka(true, undefined, 'games', 'plain').verdict).toMatchObject({ reason: 'KafkaMissing' });
    expect(judge(kafka(), 'plain', false).verdict).toMatchObject({ reason: 'StrimziMissing' });
    expect(judge(kafka(), 'plain', false).verdict.message).toMatch(/install Strimzi/);
  });
});
