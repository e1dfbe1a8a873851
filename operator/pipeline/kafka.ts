import type { LiveObject } from '../kube/object.ts';
import { fails, holds, type Verdict } from './verdict.ts';

/** The parts of a Kafka's status that are read here. */
interface KafkaStatus {
  listeners?: { name?: string; bootstrapServers?: string }[];
  conditions?: ChildCondition[];
}

/** A condition as the operators we stand on write them. */
export interface ChildCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/**
 * Whether Kafka is there, and its address, once the wanted listener has one: with it a pipeline can be planned.
 *
 * @param served whether the cluster knows Strimzi's kinds
 * @param cluster name of the Kafka
 */
export function judgeKafka(
  served: boolean,
  kafka: LiveObject | undefined,
  cluster: string,
  listener: string,
): { verdict: Verdict; bootstrapServers?: string } {
  if (!served)
    return {
      verdict: fails(
        'StrimziMissing',
        'The cluster does not know the kinds of kafka.strimzi.io/v1: install Strimzi 1.0 or newer.',
      ),
    };
  if (!kafka)
    return {
      verdict: fails(
        'KafkaMissing',
        `There is no Kafka '${cluster}' in this namespace: create it, or name another in spec.kafka.cluster.`,
      ),
    };
  return judgeListener(kafka, listener);
}

function judgeListener(kafka: LiveObject, listener: string) {
  const { listeners = [], conditions = [] } = (kafka.status ?? {}) as KafkaStatus;
  const bootstrapServers = listeners.find(({ name }) => name === listener)?.bootstrapServers;
  const notReady = words(conditions);
  if (listeners.length === 0)
    return { verdict: fails('Pending', `Kafka '${kafka.metadata.name}' has no address yet: ${notReady}`) };
  if (!bootstrapServers) {
    const known = listeners.map(({ name }) => name).join(', ');
    const message = `Kafka '${kafka.metadata.name}' has no listener '${listener}' with an address; it has: ${known}.`;
    return { verdict: fails('ListenerMissing', message) };
  }
  const verdict = notReady
    ? fails('NotReady', `Kafka '${kafka.metadata.name}': ${notReady}`)
    : holds('Available', `Kafka '${kafka.metadata.name}' is ready at ${bootstrapServers}.`);
  return { verdict, bootstrapServers };
}

/** What a Strimzi resource says against being ready; undefined when it is. */
export function words(conditions: ChildCondition[]): string | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const said = conditions.find(({ type }) => type === 'NotReady') ?? ready;
  return [said?.reason, said?.message].filter(Boolean).join(': ') || 'not ready yet';
}
