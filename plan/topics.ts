import { longestMillis } from '../api/boards/shared-fields.ts';
import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { DEFAULT_KEEP_SEASONS } from '../contract/board.ts';
import type { KeptBoard } from '../contract/history.ts';
import { boards, maxRecordBytes, type PlannedBoard } from './boards.ts';
import { strimziMetadata } from './metadata.ts';
import { type KafkaTopic, STRIMZI_API } from './objects.ts';

/** The topic the events are in: the user's own, or the one that is managed. */
export function eventsTopic(resource: GameAnalytics): string {
  return resource.spec.events.topic ?? `${resource.metadata.name}-user-score`;
}

/** The topic of what goes through the pipeline: its counts, slot by slot. */
export function statsTopic(resource: GameAnalytics): string {
  return `${resource.metadata.name}-pipeline-stats`;
}

/** The topic of the final boards of seasons. */
export function resultsTopic(resource: GameAnalytics): string {
  return `${resource.metadata.name}-results`;
}

/** The topic that says which players are hidden or erased. */
export function playersTopic(resource: GameAnalytics): string {
  return `${resource.metadata.name}-players`;
}

/** The same, where there is one. */
export function playersTopics(resource: GameAnalytics): string[] {
  return resource.spec.players ? [playersTopic(resource)] : [];
}

/** The boards whose seasons are frozen. */
export function closingBoards(resource: GameAnalytics): PlannedBoard[] {
  return boards(resource).filter(
    ({ period }) => period?.kind === 'season' && period.latestArrivalMillis !== undefined,
  );
}

/** The boards whose changes are kept. */
export function keptBoards(resource: GameAnalytics): KeptBoard[] {
  return boards(resource).flatMap(({ topic, historyTopic, player }) =>
    historyTopic === undefined ? [] : [{ topic, historyTopic, ...(player !== undefined && { player }) }],
  );
}

/**
 * The managed topics: the events, unless the user has a topic of its own, those that the job writes, and the
 * histories of boards, the results and the players to hide, if there are any.
 */
export function topics(resource: GameAnalytics): KafkaTopic[] {
  const { results, players } = resource.spec;
  return [
    ...managedEventsTopic(resource),
    ...jobTopics(resource),
    ...boards(resource).flatMap((board) => historyKafkaTopic(resource, board)),
    ...(results ? [resultsKafkaTopic(resource)] : []),
    ...(players ? [playersKafkaTopic(resource)] : []),
  ];
}

/** That of the events, unless the user has a topic of its own. */
export function managedEventsTopic(resource: GameAnalytics): KafkaTopic[] {
  return resource.spec.events.topic === undefined ? [eventsKafkaTopic(resource)] : [];
}

/** The topics that the job writes: the counts, and those of each board. */
export function jobTopics(resource: GameAnalytics): KafkaTopic[] {
  return [statsKafkaTopic(resource), ...boards(resource).map((board) => boardKafkaTopic(resource, board))];
}

function eventsKafkaTopic(resource: GameAnalytics): KafkaTopic {
  const { partitions, retention } = resource.spec.events;
  const topic = kafkaTopic(resource, eventsTopic(resource), partitions, {
    'cleanup.policy': 'delete',
    // Kafka's clock alone says what time it is: a producer whose clock is ahead would close the windows of
    // all others.
    'message.timestamp.type': 'LogAppendTime',
    'retention.ms': millis(retention),
  });
  return outliving(resource, topic);
}

/** Without an owner, where the resource says so, a topic stays when the resource is deleted. */
function outliving({ spec }: GameAnalytics, topic: KafkaTopic): KafkaTopic {
  if (spec.events.deletionPolicy === 'Retain') delete topic.metadata.ownerReferences;
  return topic;
}

/** Segments are rolled and cleaned early, so that a dashboard that starts has little to read. */
const CLEANED_EARLY = { 'segment.ms': millis('10m'), 'min.cleanable.dirty.ratio': 0.1 };

function boardKafkaTopic(resource: GameAnalytics, board: PlannedBoard): KafkaTopic {
  const config = {
    ...cleanup(board),
    ...CLEANED_EARLY,
    // Until its changes have been copied, should that wait.
    ...(board.historyTopic !== undefined && { 'min.compaction.lag.ms': millis('1h') }),
    'max.message.bytes': maxRecordBytes(board),
  };
  return kafkaTopic(resource, board.topic, 1, config);
}

function historyKafkaTopic(resource: GameAnalytics, board: PlannedBoard): KafkaTopic[] {
  const { historyTopic } = board;
  if (!historyTopic) return [];
  const config = {
    'cleanup.policy': 'delete',
    // Every change of many seasons would be much: `keepSeasons` is of boards as they ended.
    'retention.ms': readableMillis(board),
    // Each record has the time of the one that it is copied from.
    'message.timestamp.type': 'CreateTime',
    // A segment is deleted as a whole.
    'segment.ms': millis('6h'),
    'max.message.bytes': maxRecordBytes(board),
  };
  return [kafkaTopic(resource, historyTopic, 1, config)];
}

function statsKafkaTopic(resource: GameAnalytics): KafkaTopic {
  const config = { 'cleanup.policy': 'compact,delete', 'retention.ms': millis('1d'), ...CLEANED_EARLY };
  return kafkaTopic(resource, statsTopic(resource), 1, config);
}

/** One partition, so that results are read in the order in which they were written. They are kept forever. */
function resultsKafkaTopic(resource: GameAnalytics): KafkaTopic {
  const largest = Math.max(...boards(resource).map(maxRecordBytes));
  const config = { 'cleanup.policy': 'compact', 'max.message.bytes': largest };
  return outliving(resource, kafkaTopic(resource, resultsTopic(resource), 1, config));
}

/**
 * One partition, so that the newest record of a player is known. It outlives the resource like the events: a
 * resource of that name again must not show who was hidden.
 */
function playersKafkaTopic(resource: GameAnalytics): KafkaTopic {
  const config = { 'cleanup.policy': 'compact', ...CLEANED_EARLY };
  return outliving(resource, kafkaTopic(resource, playersTopic(resource), 1, config));
}

function cleanup(board: PlannedBoard): Record<string, string | number> {
  if (longestSeason(board) === undefined) return { 'cleanup.policy': 'compact' };
  return { 'cleanup.policy': 'compact,delete', 'retention.ms': readableMillis(board, board.keepSeasons) };
}

/** The running season and those that are kept stay readable, and each for a week at least. */
function readableMillis(board: PlannedBoard, keepSeasons = DEFAULT_KEEP_SEASONS): number {
  return Math.max(millis('7d'), (keepSeasons + 1) * (longestSeason(board) ?? 0));
}

/** In milliseconds; undefined where a board has no seasons whose length is known, or one forever. */
function longestSeason({ source }: PlannedBoard): number | undefined {
  return 'seasonMillis' in source ? longestMillis(source) : undefined;
}

/** Not what the cluster's default may be: nobody has to know more codecs than the producers use. */
const AS_PRODUCED = { 'compression.type': 'producer' };

function kafkaTopic(
  resource: GameAnalytics,
  name: string,
  partitions: number,
  config: KafkaTopic['spec']['config'],
): KafkaTopic {
  return {
    apiVersion: STRIMZI_API,
    kind: 'KafkaTopic',
    metadata: strimziMetadata(resource, 'topics', name),
    spec: { partitions, config: { ...AS_PRODUCED, ...config } },
  };
}
