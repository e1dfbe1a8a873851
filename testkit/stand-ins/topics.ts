import { createHash } from 'node:crypto';
import type { Admin } from 'kafkajs';

import { applyTopics } from '../../local/kafka/topics.ts';
import type { KafkaTopic } from '../../plan/objects.ts';

import { refusedConfig } from './topic-config.ts';

/**
 * What stands behind the topic operator: a Kafka, or the idea of one. Topics have the name that is their
 * object's.
 */
export interface TopicBackend {
  /** How many partitions the topic has; undefined when there is none of its name. */
  partitions(topic: KafkaTopic): Promise<number | undefined>;
  /**
   * Makes the topic what the object says and returns its id. Throws what Kafka says against it, in Kafka's
   * words.
   */
  apply(topic: KafkaTopic): Promise<string>;
  delete(topic: KafkaTopic): Promise<void>;
}

/** Topics that are only imagined, of any number of Kafka clusters. */
export class ImaginaryTopics implements TopicBackend {
  readonly #topics = new Map<string, { id: string; topic: KafkaTopic }>();
  #made = 0;

  /** Those there are, as `namespace/name`. */
  get names(): string[] {
    return [...this.#topics.keys()].sort();
  }

  async partitions(topic: KafkaTopic): Promise<number | undefined> {
    return this.#topics.get(keyOf(topic))?.topic.spec.partitions;
  }

  async apply(topic: KafkaTopic): Promise<string> {
    const refusal = refusedConfig(topic.spec.config);
    if (refusal) throw new Error(refusal);
    const id = this.#topics.get(keyOf(topic))?.id ?? idOf(`${keyOf(topic)} ${this.#made++}`);
    this.#topics.set(keyOf(topic), { id, topic });
    return id;
  }

  async delete(topic: KafkaTopic): Promise<void> {
    this.#topics.delete(keyOf(topic));
  }
}

/** The topics of a real Kafka. */
export function kafkaTopics(admin: Admin): TopicBackend {
  return {
    async partitions({ metadata: { name } }) {
      if (!(await admin.listTopics()).includes(name)) return undefined;
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      return topics[0]?.partitions.length;
    },
    async apply(topic) {
      await applyTopics(admin, [topic]);
      return idOf(topic.metadata.name);
    },
    async delete({ metadata: { name } }) {
      if ((await admin.listTopics()).includes(name)) await admin.deleteTopics({ topics: [name] });
    },
  };
}

/** As Kafka writes ids: 16 bytes in base64url. */
function idOf(text: string): string {
  return createHash('md5').update(text).digest('base64url');
}

function keyOf({ metadata }: KafkaTopic): string {
  return `${metadata.namespace}/${metadata.name}`;
}
