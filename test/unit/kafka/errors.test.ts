import { describe, expect, it } from 'vitest';
import { describeKafkaError } from '../../../kafka/errors.ts';

describe('what kafkajs says against an attempt', () => {
  it.each([
    [
      'Not authorized to access topics: [Topic authorization failed]',
      /^not authorized for the topic events: .*KafkaUser/,
    ],
    ['Failed to find group coordinator', /^no consumer group for the topic events: .*KafkaUser/],
    ['Not authorized to access group: Group authorization failed', /^no consumer group for the topic events/],
    ['Connection timeout', /^Connection timeout$/],
  ])('names the topic and what to check, where it is about rights: %s', (reason, words) => {
    expect(describeKafkaError(reason, 'events')).toMatch(words);
  });
});
