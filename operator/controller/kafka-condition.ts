import type { Reason } from '../../api/conditions.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { KAFKA } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './status.ts';

type KafkaSpec = GameAnalytics['spec']['kafka'];

/** A listener as a Kafka's spec has it. */
interface Listener {
  name?: string;
  tls?: boolean;
  authentication?: { type?: string };
}

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
 * Whether Kafka is there, and its address, once the wanted listener has one: with it a pipeline can be
 * planned.
 *
 * @param served whether the cluster knows Strimzi's kinds
 * @param wanted the resource's spec.kafka
 */
export function kafkaCondition(
  served: boolean,
  kafka: LiveObject | undefined,
  wanted: KafkaSpec,
): { condition: ConditionState; bootstrapServers?: string } {
  const without = (reason: Reason, message: string) => ({ condition: conditionFalse(reason, message) });
  const { cluster, listener } = wanted;
  if (!served)
    return without(
      'StrimziMissing',
      `The cluster does not know the kinds of ${KAFKA.apiVersion}: install Strimzi 1.0 or newer.`,
    );
  if (!kafka)
    return without(
      'KafkaMissing',
      `There is no Kafka '${cluster}' in this namespace: create it, or name another in spec.kafka.cluster.`,
    );
  const { listeners = [], conditions = [] } = (kafka.status ?? {}) as KafkaStatus;
  const notReady = notReadyMessage(conditions);
  if (listeners.length === 0)
    return without('Progressing', `Kafka '${cluster}' has no address yet: ${notReady}`);
  const bootstrapServers = listeners.find(({ name }) => name === listener)?.bootstrapServers;
  if (!bootstrapServers) {
    const known = listeners.map(({ name }) => name).join(', ');
    const message = `Kafka '${cluster}' has no listener '${listener}' with an address; it has: ${known}.`;
    return without('ListenerMissing', message);
  }
  const mismatch = listenerMismatch(kafka, wanted);
  if (mismatch) return without('ListenerMismatch', mismatch);
  const condition = notReady
    ? conditionFalse('NotReady', `Kafka '${cluster}': ${notReady}`)
    : conditionTrue('Available', `Kafka '${cluster}' is ready at ${bootstrapServers}.`);
  return { condition, bootstrapServers };
}

function listenerMismatch(kafka: LiveObject, { listener, authentication }: KafkaSpec): string | undefined {
  const { listeners = [] } = (kafka.spec as { kafka?: { listeners?: Listener[] } }).kafka ?? {};
  const found = listeners.find(({ name }) => name === listener);
  const name = `Listener '${listener}' of Kafka '${kafka.metadata.name}'`;
  const asked = found?.authentication?.type;
  const { type } = authentication ?? {};
  if (asked !== type)
    return asked
      ? `${name} asks for authentication ${asked}: set spec.kafka.authentication.type to it, or name another in spec.kafka.listener.`
      : `${name} asks for no authentication, and spec.kafka.authentication is ${type}: have the listener ask for it, or name another in spec.kafka.listener.`;
  if (Boolean(found?.tls) === Boolean(type)) return undefined;
  return type
    ? `${name} is without TLS, and spec.kafka.authentication needs it: have it use TLS, or name another in spec.kafka.listener.`
    : `${name} uses TLS, which is for spec.kafka.authentication: set that, or name another in spec.kafka.listener.`;
}

/** What a Strimzi resource says against being ready; undefined when it is. */
export function notReadyMessage(conditions: ChildCondition[]): string | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const said = conditions.find(({ type }) => type === 'NotReady') ?? ready;
  return [said?.reason, said?.message].filter(Boolean).join(': ') || 'not ready yet';
}
