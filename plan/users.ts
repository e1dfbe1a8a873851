import type { GameAnalytics } from '../api/gameanalytics.ts';
import { historyGroup } from '../contract/history.ts';
import { type KafkaClient, kafkaUserName } from './kafka-access.ts';
import { strimziMetadata } from './metadata.ts';
import { type KafkaAcl, type KafkaUser, STRIMZI_API } from './objects.ts';
import { groupPrefix } from './sql.ts';
import {
  closingBoards,
  eventsTopic,
  jobTopics,
  keptBoards,
  playersTopic,
  playersTopics,
  resultsTopic,
} from './topics.ts';

/**
 * The users as which a pipeline's programs sign in to Kafka, when it asks that of them, with the least
 * rights: the injector writes events, the job reads them and writes what it makes of them, the dashboard
 * reads that, and the programs of the results and of the histories read boards and write what they were.
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
    ...(keptBoards(resource).length > 0 ? [user('history', historyAcls(resource))] : []),
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
  const histories = keptBoards(resource).map(({ historyTopic }) => historyTopic);
  return [
    topic(eventsTopic(resource), 'Describe'),
    group(groupPrefix(resource), 'Describe'),
    ...[...writtenTopics(resource), ...histories, ...playersTopics(resource)].flatMap((name) => [
      topic(name, 'Read'),
      group(`${name}-dashboard-`, 'Read'),
    ]),
    ...histories.map((name) => group(historyGroup(name), 'Describe')),
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

/**
 * It reads boards and players and copies the ones without some of the others, which it writes again, and
 * deletes what it replaces. Its groups, and the one that it commits in, begin with the name of what it reads.
 */
function historyAcls(resource: GameAnalytics): KafkaAcl[] {
  const kept = keptBoards(resource);
  const own = kept.map(({ historyTopic }) => historyTopic);
  const read = [...kept.map((board) => board.topic), ...own, ...playersTopics(resource)];
  return [
    ...read.flatMap((name) => [topic(name, 'Read'), group(`${name}-history-`, 'Read')]),
    ...own.flatMap((name): KafkaAcl[] => [
      group(historyGroup(name), 'Read'),
      topic(name, 'Write'),
      topic(name, 'Delete'),
      { resource: { type: 'transactionalId', name, patternType: 'literal' }, operations: ['Write'] },
    ]),
  ];
}

function writtenTopics(resource: GameAnalytics): string[] {
  return jobTopics(resource).map(({ metadata }) => metadata.name);
}

function topic(name: string, operation: 'Read' | 'Write' | 'Delete' | 'Describe'): KafkaAcl {
  return { resource: { type: 'topic', name, patternType: 'literal' }, operations: [operation] };
}

function group(name: string, operation: 'Read' | 'Describe' | 'Delete'): KafkaAcl {
  return { resource: { type: 'group', name, patternType: 'prefix' }, operations: [operation] };
}
