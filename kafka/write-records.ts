import type { KafkaClient } from './client.ts';
import { PRODUCER } from './producer-config.ts';

/**
 * Writes a few records to a topic, in their order.
 *
 * @param records each with its key, and null where the key is to be as if it had never been written
 * @throws what kafkajs reports when not all are known to be written
 */
export async function writeRecords(
  kafka: KafkaClient,
  topic: string,
  records: { key: string; value: string | null }[],
): Promise<void> {
  const producer = kafka.producer(PRODUCER);
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: records });
  } finally {
    await producer.disconnect();
  }
}
