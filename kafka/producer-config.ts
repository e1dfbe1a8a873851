import { Partitioners, type ProducerConfig } from 'kafkajs';

/** How a producer writes each record once, in order, and to the partition of its key. */
export const PRODUCER = {
  idempotent: true,
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
} satisfies ProducerConfig;
