import { isDeepStrictEqual } from 'node:util';
import { KAFKA_TOPIC } from '../../operator/kube/kinds.ts';
import type { KafkaTopic } from '../../plan/objects.ts';
import type { Controlled } from './api.ts';
import { type Condition, timestamp } from './condition.ts';
import type { Behavior, StepContext } from './controller.ts';
import type { TopicBackend } from './topics.ts';

const FINALIZER = 'strimzi.io/topic-operator';
/** The first topics were seen to take 6 s, and others 0.4 s. */
const WARM_UP_STEPS = 14;
const CLUSTER_LABEL = 'strimzi.io/cluster';

export interface LiveTopic extends Controlled {
  spec: { topicName?: string; partitions?: number; config?: Record<string, string | number> };
  status?: TopicStatus;
}

interface TopicStatus {
  conditions?: Condition[];
  observedGeneration?: number;
  topicName?: string;
  topicId?: string;
}

/** What the topic operator will not do; the reason and the message of its condition. */
class Refusal extends Error {
  readonly reason: string;

  constructor(reason: 'NotSupported' | 'ResourceConflict' | 'KafkaError', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Strimzi's topic operator, of every Kafka at once: a KafkaTopic becomes a topic of its backend. */
export class TopicOperator implements Behavior<LiveTopic> {
  readonly kind = KAFKA_TOPIC;
  readonly fieldManager = 'strimzi-topic-operator';
  readonly #backend: TopicBackend;
  /** Which object has a topic: the first that asked for it. */
  readonly #holders = new Map<string, Controlled['metadata']>();

  /** Of each Kafka that has had a topic. */
  readonly #warmUps = new Map<string, Promise<void>>();

  constructor(backend: TopicBackend) {
    this.#backend = backend;
  }

  async step(topic: LiveTopic, { api, pause }: StepContext): Promise<LiveTopic | undefined> {
    const { deletionTimestamp, finalizers = [], labels } = topic.metadata;
    if (!labels?.[CLUSTER_LABEL]) return undefined;
    const isFinalized = finalizers.includes(FINALIZER);
    if (deletionTimestamp) {
      if (!isFinalized) return undefined;
      if (isManaged(topic) && this.#holds(topic)) await this.#backend.delete(kafkaTopic(topic));
      return api.setFinalizers(
        topic,
        finalizers.filter((name) => name !== FINALIZER),
      );
    }
    if (isManaged(topic) && !isFinalized && !this.#conflict(topic))
      return api.setFinalizers(topic, [...finalizers, FINALIZER]);
    if (topic.status?.observedGeneration !== topic.metadata.generation) {
      await this.#warmUp(topic, pause);
      await pause();
    }
    const status = await this.#status(topic);
    return isSettled(topic.status, status) ? undefined : api.replaceStatus(topic, status);
  }

  async gone(topic: LiveTopic): Promise<void> {
    if (this.#holds(topic)) this.#holders.delete(placeOf(topic));
  }

  /** Resolves when the first topics of a Kafka are under way, for which the topic operator takes its time. */
  #warmUp(topic: LiveTopic, pause: StepContext['pause']): Promise<void> {
    const kafka = kafkaOf(topic);
    const warmUp = this.#warmUps.get(kafka) ?? pauses(WARM_UP_STEPS, pause);
    this.#warmUps.set(kafka, warmUp);
    return warmUp;
  }

  /** Brings the topic to where the object wants it, and says how that went. */
  async #status(topic: LiveTopic): Promise<TopicStatus> {
    const observedGeneration = topic.metadata.generation ?? 0;
    if (!isManaged(topic)) return { conditions: [said('Unmanaged', 'True')], observedGeneration };
    const known = { observedGeneration, topicName: topic.status?.topicName ?? nameOf(topic) };
    try {
      const topicId = await this.#apply(topic);
      return { ...known, topicId, conditions: [said('Ready', 'True')] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const condition = { ...said('Ready', 'False'), reason: error.reason, message: error.message };
      const { topicId } = topic.status ?? {};
      return { ...known, ...(topicId && { topicId }), conditions: [condition] };
    }
  }

  async #apply(topic: LiveTopic): Promise<string> {
    const { topicName = nameOf(topic) } = topic.status ?? {};
    if (topicName !== nameOf(topic))
      throw new Refusal('NotSupported', 'Changing spec.topicName is not supported');
    const conflict = this.#conflict(topic);
    if (conflict) throw new Refusal('ResourceConflict', conflict);
    const wanted = kafkaTopic(topic);
    const partitions = await this.#backend.partitions(wanted);
    if (partitions !== undefined && wanted.spec.partitions < partitions)
      throw new Refusal('NotSupported', 'Decreasing partitions not supported');
    return this.#backend.apply(wanted).catch((error: Error) => {
      throw new Refusal(
        'KafkaError',
        `org.apache.kafka.common.errors.InvalidConfigurationException: ${error.message}`,
      );
    });
  }

  /** Who else has the topic, in Strimzi's words; undefined when it is this object's. */
  #conflict(topic: LiveTopic): string | undefined {
    const holder = this.#holders.get(placeOf(topic)) ?? topic.metadata;
    this.#holders.set(placeOf(topic), holder);
    if (holder.uid === topic.metadata.uid) return undefined;
    return `Managed by Ref{namespace='${holder.namespace}', name='${holder.name}'}`;
  }

  #holds(topic: LiveTopic): boolean {
    const holder = this.#holders.get(placeOf(topic));
    return holder === undefined || holder.uid === topic.metadata.uid;
  }
}

function isManaged({ metadata }: LiveTopic): boolean {
  return metadata.annotations?.['strimzi.io/managed'] !== 'false';
}

function nameOf({ spec, metadata }: LiveTopic): string {
  return spec.topicName ?? metadata.name;
}

/** One topic in the world. */
function placeOf(topic: LiveTopic): string {
  return `${kafkaOf(topic)}/${nameOf(topic)}`;
}

function kafkaOf({ metadata }: LiveTopic): string {
  return `${metadata.namespace}/${metadata.labels?.[CLUSTER_LABEL]}`;
}

async function pauses(count: number, pause: StepContext['pause']): Promise<void> {
  for (let i = 0; i < count; i++) await pause();
}

/** The topic as Kafka is to have it: under its own name, with what the broker would fill in. */
function kafkaTopic({ apiVersion, metadata, spec }: LiveTopic): KafkaTopic {
  const { namespace, labels = {} } = metadata;
  return {
    apiVersion,
    kind: 'KafkaTopic',
    metadata: { name: spec.topicName ?? metadata.name, ...(namespace && { namespace }), labels },
    spec: { partitions: spec.partitions ?? 1, config: spec.config ?? {} },
  };
}

function said(type: string, status: 'True' | 'False'): Condition {
  return { type, status, lastTransitionTime: timestamp() };
}

/** Nothing is written when it would only move a time. */
function isSettled(before: TopicStatus | undefined, after: TopicStatus): boolean {
  const timeless = ({ conditions = [], ...rest }: TopicStatus) => ({
    ...rest,
    conditions: conditions.map(({ lastTransitionTime: _time, ...condition }) => condition),
  });
  return before !== undefined && isDeepStrictEqual(timeless(before), timeless(after));
}
