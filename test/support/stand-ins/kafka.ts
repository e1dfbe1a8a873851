import type { KubeConfig } from '@kubernetes/client-node';
import { KAFKA } from '../../../operator/kube/kinds.ts';
import type { LiveObject } from '../../../operator/kube/object.ts';
import { ControllerApi } from './api.ts';
import { type Condition, timestamp } from './condition.ts';

interface KafkaOptions {
  /** Names of its listeners. */
  listeners?: string[];
  /** The address that each of them has. */
  bootstrapServers?: string;
}

/** Makes a Kafka as Strimzi would have it, ready, or makes one ready again. No brokers come of it. */
export async function createKafka(
  config: KubeConfig,
  namespace: string,
  name: string,
  { listeners = ['plain'], bootstrapServers = `${name}-kafka-bootstrap:9092` }: KafkaOptions = {},
): Promise<void> {
  await withApi(config, async (api) => {
    const kafka = await api.apply({
      ...manifest(namespace, name),
      spec: { kafka: { listeners: listeners.map(internal) } },
    });
    await api.replaceStatus(kafka, {
      ...said(kafka, { type: 'Ready', status: 'True' }),
      clusterId: 'gPcSFWa2QZGv0kFrQdrn6g',
      kafkaVersion: '4.3.0',
      listeners: listeners.map((listener) => ({ name: listener, bootstrapServers })),
    });
  });
}

/** Makes a Kafka say that it is not ready, and why; it keeps its listeners. */
export async function setKafkaNotReady(
  config: KubeConfig,
  namespace: string,
  name: string,
  { reason, message }: { reason: string; message: string },
): Promise<void> {
  await withApi(config, async (api) => {
    const kafka = await api.get<LiveObject & { status?: object }>(manifest(namespace, name));
    if (!kafka) throw new Error(`there is no Kafka ${namespace}/${name}`);
    const condition: Condition = { type: 'NotReady', status: 'True', reason, message };
    await api.replaceStatus(kafka, { ...kafka.status, ...said(kafka, condition) });
  });
}

async function withApi(config: KubeConfig, use: (api: ControllerApi) => Promise<void>): Promise<void> {
  const api = new ControllerApi(config, 'strimzi-cluster-operator');
  try {
    await use(api);
  } finally {
    await api.close();
  }
}

function manifest(namespace: string, name: string) {
  const { apiVersion, kind } = KAFKA;
  return { apiVersion, kind, metadata: { namespace, name } };
}

function internal(name: string, index: number) {
  return { name, port: 9092 + index, type: 'internal', tls: false };
}

function said({ metadata }: LiveObject, condition: Condition) {
  return {
    observedGeneration: metadata.generation ?? 0,
    conditions: [{ ...condition, lastTransitionTime: timestamp() }],
  };
}
