import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type KafkaClient, kafkaUserName } from './kafka-access.ts';
import { strimziMetadata } from './metadata.ts';
import { type KafkaAcl, type KafkaUser, STRIMZI_API } from './objects.ts';
import { groupPrefix } from './sql.ts';
import {
  closingBoards,
  eventsTopic,
  jobTopics,
  playersTopic,
  playersTopics,
  resultsTopic,
} from './topics.ts';

/**
 * The users as which a pipeline's programs sign in to Kafka, when it asks that of them, with the least
 * rights: the injector writes events, the job reads them and writes what it makes of them, the dashboard
 * reads that, and the program of the results reads boards and writes what they were in the end.
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
    ...(resource.spec.results ? [user('results', resultsAcls(resource))] : []),
  ];
}

/** The right to write to any topic includes that to a producer id, which makes retries safe (KIP-679). */
function injectorAcls(resource: GameAnalytics): KafkaAcl[] {
  return [topic(eventsTopic(resource), 'Write')];
}

function jobAcls(resource: GameAnalytics): KafkaAcl[] {
  return [
    topic(eventsTopic(resource), 'Read'),
    group(groupPrefix(resource), 'Read'),
    ...writtenTopics(resource).map((name) => topic(name, 'Write')),
  ];
}

/**
 * Each of its processes reads a topic in a group of its own, whose name begins so. Of the events it only asks
 * how many there are, and how far the job has read them.
 */
function dashboardAcls(resource: GameAnalytics): KafkaAcl[] {
  return [
    topic(eventsTopic(resource), 'Describe'),
    group(groupPrefix(resource), 'Describe'),
    ...[...writtenTopics(resource), ...playersTopics(resource)].flatMap((name) => [
      topic(name, 'Read'),
      group(`${name}-dashboard-`, 'Read'),
    ]),
    ...(resource.spec.players?.secretName ? [topic(playersTopic(resource), 'Write')] : []),
  ];
}

/**
 * It reads boards and its own topic, in groups of its own, and asks how far the job has read the events. The
 * right to delete the job's groups is that to remove its commits; it does not include to commit in them.
 */
function resultsAcls(resource: GameAnalytics): KafkaAcl[] {
  const own = resultsTopic(resource);
  const read = [...closingBoards(resource).map((board) => board.topic), own, ...playersTopics(resource)];
  return [
    topic(eventsTopic(resource), 'Describe'),
    group(groupPrefix(resource), 'Delete'),
    ...read.flatMap((name) => [topic(name, 'Read'), group(`${name}-results-`, 'Read')]),
    topic(own, 'Write'),
    { resource: { type: 'transactionalId', name: own, patternType: 'literal' }, operations: ['Write'] },
  ];
}

function writtenTopics(resource: GameAnalytics): string[] {
  return jobTopics(resource).map(({ metadata }) => metadata.name);
}

function topic(name: string, operation: 'Read' | 'Write' | 'Describe'): KafkaAcl {
  return { resource: { type: 'topic', name, patternType: 'literal' }, operations: [operation] };
}

function group(name: string, operation: 'Read' | 'Describe' | 'Delete'): KafkaAcl {
  return { resource: { type: 'group', name, patternType: 'prefix' }, operations: [operation] };
}
