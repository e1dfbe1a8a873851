import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type KafkaClient, kafkaUserName } from './kafka-access.ts';
import { strimziMetadata } from './metadata.ts';
import { type KafkaAcl, type KafkaUser, STRIMZI_API } from './objects.ts';
import { groupPrefix } from './sql.ts';
import { eventsTopic, topics } from './topics.ts';

/**
 * The users as which a pipeline's programs sign in to Kafka, when it asks that of them, with the least
 * rights: the injector writes events, the job reads them and writes what it makes of them, and the dashboard
 * reads that.
 */
export function users(resource: GameAnalytics): KafkaUser[] {
  const { authentication } = resource.spec.kafka;
  if (!authentication) return [];
  const user = (component: KafkaClient, acls: KafkaAcl[]): KafkaUser => ({
    apiVersion: STRIMZI_API,
    kind: 'KafkaUser',
    metadata: strimziMetadata(resource, 'users', kafkaUserName(resource, component)),
    spec: { authentication, authorization: { type: 'simple', acls } },
  });
  return [
    ...(resource.spec.injector ? [user('injector', injectorAcls(resource))] : []),
    user('flink', jobAcls(resource)),
    user('dashboard', dashboardAcls(resource)),
  ];
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

/**
 * Each of its processes reads a topic in a group of its own, whose name begins so. Of the events it only asks
 * how many there are.
 */
function dashboardAcls(resource: GameAnalytics): KafkaAcl[] {
  return [
    topic(eventsTopic(resource), 'Describe'),
    ...writtenTopics(resource).flatMap((name) => [topic(name, 'Read'), group(`${name}-dashboard-`)]),
  ];
}

function writtenTopics(resource: GameAnalytics): string[] {
  return topics(resource)
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== eventsTopic(resource));
}

function topic(name: string, operation: 'Read' | 'Write' | 'Describe'): KafkaAcl {
  return { resource: { type: 'topic', name, patternType: 'literal' }, operations: [operation] };
}

function group(name: string): KafkaAcl {
  return { resource: { type: 'group', name, patternType: 'prefix' }, operations: ['Read'] };
}
