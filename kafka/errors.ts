import kafkajs from 'kafkajs';

// No export that Node finds by name.
const { KafkaJSProtocolError } = kafkajs;

/**
 * What kafkajs says against an attempt, in words that name the topic and what to check where its own do not.
 *
 * @param topic that was to be read or written
 */
export function describeKafkaError(reason: string, topic: string): string {
  if (/^Not authorized to access topics/.test(reason))
    return `not authorized for the topic ${topic}: Kafka's access lists, which follow the KafkaUser, do not allow it`;
  // Kafka reports a group without authorization like one without a coordinator.
  if (/^Not authorized to access group|^Failed to find group coordinator/.test(reason))
    return `no consumer group for the topic ${topic}: Kafka is not ready, or its access lists, which follow the KafkaUser, do not allow it`;
  return reason;
}

/*
 * kafkajs wraps a broker's answer in errors about having tried again.
 */

/** Whether a broker refused, rather than that none was reached. */
export function isFromBroker(error: unknown): boolean {
  if (error instanceof KafkaJSProtocolError) return true;
  return error instanceof Error && isFromBroker(error.cause);
}

/** Whether the broker has no such topic. */
export function isUnknownTopic(error: unknown): boolean {
  return isOfType('UNKNOWN_TOPIC_OR_PARTITION', error);
}

/** Whether the transaction before is not complete yet. */
export function isConcurrentTransaction(error: unknown): boolean {
  return isOfType('CONCURRENT_TRANSACTIONS', error);
}

function isOfType(type: string, error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('type' in error && error.type === type) || isOfType(type, error.cause);
}
