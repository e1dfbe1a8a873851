import type { GameAnalytics } from '../api/gameanalytics.ts';
import { boards } from './boards.ts';
import { type KafkaClient, kafkaUserName } from './kafka-access.ts';
import { metadata } from './metadata.ts';
import type { KafkaAcl, KafkaUser } from './objects.ts';
import { groupPrefix } from './sql.ts';
import { eventsTopic, statsTopic } from './topics.ts';

/**
 * The users as which a pipeline's programs sign in to Kafka, when it asks that of them, with the least rights: the injector
 * writes events, the job reads them and writes what it makes of them, and the dashboard reads that.
 */
export function users(resource: GameAnalytics): KafkaUser[] {
  if (!resource.spec.kafka.authentication) return [];
  return [
    ...(resource.spec.injector ? [kafkaUser(resource, 'injector', injectorAcls(resource))] : []),
    kafkaUser(resource, 'flink', jobAcls(resource)),
    kafkaUser(resource, 'dashboard', dashboardAcls(resource)),
  ];
}

function kafkaUser(resource: GameAnalytics, component: KafkaClient, acls: KafkaAcl[]): KafkaUser {
  const { cluster, authentication = { type: 'tls' } } = resource.spec.kafka;
  const meta = metadata(resource, 'users', kafkaUserName(resource, component));
  return {
    apiVersion: 'kafka.strimzi.io/v1',
    kind: 'KafkaUser',
    metadata: { ...meta, labels: { ...meta.labels, 'strimzi.io/cluster': cluster } },
    spec: { authentication, authorization: { type: 'simple', acls } },
  };
}

/** The right to write to any topic includes that to a producer id, which makes retries safe (KIP-679). */
function injectorAcls(resource: GameAnalytics): KafkaAcl[] {
  return [topic(eventsTopic(resource), 'Write')];
}

function jobAcls(resource: GameAnalytics): KafkaAcl[] {
  return [
    topic(eventsTopic(resource), 'Read'),
    group(groupPrefix(resource)),
    ...writtenTopics(resource).map((name) => topic(name, 'Write')),
  ];
}

/** Each of its processes reads a topic in a group of its own, whose name begins so. */
function dashboardAcls(resource: GameAnalytics): KafkaAcl[] {
  return writtenTopics(resource).flatMap((name) => [topic(name, 'Read'), group(`${name}-dashboard-`)]);
}

/** The topics that the job makes of the events. */
function writtenTopics(resource: GameAnalytics): string[] {
  const ofBoards = boards(resource).flatMap(({ topic, historyTopic }) => [topic, historyTopic ?? []].flat());
  return [statsTopic(resource), ...ofBoards];
}

function topic(name: string, operation: 'Read' | 'Write'): KafkaAcl {
  return { resource: { type: 'topic', name, patternType: 'literal' }, operations: [operation] };
}

/** The consumer groups whose names begin so. */
function group(name: string): KafkaAcl {
  return { resource: { type: 'group', name, patternType: 'prefix' }, operations: ['Read'] };
}
