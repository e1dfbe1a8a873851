import type { KubeConfig } from '@kubernetes/client-node';
import { KAFKA } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import { ControllerApi } from './api.ts';
import { type Condition, timestamp } from './condition.ts';

/** A listener by its name; one that asks for authentication does so over TLS. */
export type Listener = string | { name: string; authentication: 'scram-sha-512' | 'tls' };

interface KafkaOptions {
  listeners?: Listener[];
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
      listeners: listeners.map((listener) => ({ name: nameOf(listener), bootstrapServers })),
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

function internal(listener: Listener, index: number) {
  const common = { name: nameOf(listener), port: 9092 + index, type: 'internal' };
  if (typeof listener === 'string') return { ...common, tls: false };
  return { ...common, tls: true, authentication: { type: listener.authentication } };
}

function nameOf(listener: Listener): string {
  return typeof listener === 'string' ? listener : listener.name;
}

function said({ metadata }: LiveObject, condition: Condition) {
  return {
    observedGeneration: metadata.generation ?? 0,
    conditions: [{ ...condition, lastTransitionTime: timestamp() }],
  };
}
