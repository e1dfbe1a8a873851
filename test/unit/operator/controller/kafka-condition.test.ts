import { describe, expect, it } from 'vitest';
import { kafkaCondition } from '../../../../operator/controller/kafka-condition.ts';
import { live } from './live.ts';

const LISTENERS = [
  { name: 'plain', bootstrapServers: 'kafka:9092' },
  { name: 'tls', bootstrapServers: 'kafka:9093' },
];
const READY = { type: 'Ready', status: 'True' };

type Authentication = 'scram-sha-512' | 'tls' | undefined;

const kafka = (status?: object, spec = {}) => live('Kafka', { status, spec }, { name: 'games' });
const judge = (object = kafka(), listener = 'tls', served = true, type: Authentication = undefined) =>
  kafkaCondition(served, object, { cluster: 'games', listener, ...(type && { authentication: { type } }) });

/** What is wrong with a resource's authentication, by what the listener requires. */
function mismatch(type: Authentication, tls: boolean, asked?: string): string | undefined {
  const listener = { name: 'tls', tls, ...(asked && { authentication: { type: asked } }) };
  const object = kafka({ listeners: LISTENERS, conditions: [READY] }, { kafka: { listeners: [listener] } });
  const { condition, bootstrapServers } = judge(object, 'tls', true, type);
  // Nothing is planned that would not be let in.
  expect(bootstrapServers === undefined).toBe(condition.reason === 'ListenerMismatch');
  return condition.reason === 'ListenerMismatch' ? condition.message : undefined;
}

describe('Kafka', () => {
  it('is available at the address of the wanted listener', () => {
    const { condition, bootstrapServers } = judge(kafka({ listeners: LISTENERS, conditions: [READY] }));
    expect(bootstrapServers).toBe('kafka:9093');
    expect(condition).toMatchObject({ status: 'True', reason: 'Available' });
  });

  it('that is not ready is reported in Strimzi’s words, and its address is still known', () => {
    const conditions = [
      { type: 'NotReady', status: 'True', reason: 'StrimziTimeoutException', message: 'Exceeded' },
    ];
    const { condition, bootstrapServers } = judge(kafka({ listeners: LISTENERS, conditions }));
    expect(bootstrapServers).toBe('kafka:9093');
    expect(condition).toMatchObject({ status: 'False', reason: 'NotReady' });
    expect(condition.message).toBe("Kafka 'games': StrimziTimeoutException: Exceeded");
  });

  it('without the wanted listener is reported with those it has', () => {
    const { condition, bootstrapServers } = judge(
      kafka({ listeners: LISTENERS, conditions: [READY] }),
      'external',
    );
    expect(bootstrapServers).toBeUndefined();
    expect(condition.reason).toBe('ListenerMissing');
    expect(condition.message).toMatch(/no listener 'external' with an address; it has: plain, tls/);
  });

  it('that has just been made has no address yet', () => {
    expect(judge(kafka()).condition).toMatchObject({ status: 'False', reason: 'Progressing' });
  });

  it('that does not exist, and a cluster without Strimzi, are reported with what to do', () => {
    expect(kafkaCondition(true, undefined, { cluster: 'games', listener: 'plain' }).condition).toMatchObject({
      reason: 'KafkaMissing',
    });
    expect(judge(kafka(), 'plain', false).condition).toMatchObject({ reason: 'StrimziMissing' });
    expect(judge(kafka(), 'plain', false).condition.message).toMatch(/install Strimzi/);
  });

  it('asks for what the resource gives', () => {
    expect(mismatch(undefined, false)).toBeUndefined();
    expect(mismatch('scram-sha-512', true, 'scram-sha-512')).toBeUndefined();
    expect(mismatch('tls', true, 'tls')).toBeUndefined();
  });

  it.each([
    [undefined, true, undefined, /uses TLS, which is for spec.kafka.authentication: set that/],
    [undefined, true, 'tls', /asks for authentication tls: set spec.kafka.authentication.type to it/],
    ['tls', true, 'scram-sha-512', /asks for authentication scram-sha-512: set/],
    ['tls', true, undefined, /asks for no authentication, and spec.kafka.authentication is tls/],
    ['scram-sha-512', false, 'scram-sha-512', /is without TLS, and spec.kafka.authentication needs it/],
  ] as const)(
    'given %s by a listener with TLS %s that asks for %s says what to do',
    (type, tls, asked, words) => {
      expect(mismatch(type, tls, asked)).toMatch(words);
    },
  );
});
