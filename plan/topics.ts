import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type Board, boards } from './boards.ts';
import { metadata } from './metadata.ts';
import type { KafkaTopic } from './objects.ts';

/** The topic the events are in: the user's own, or the one that is managed. */
export function eventsTopic(resource: GameAnalytics): string {
  return resource.spec.events.topic ?? `${resource.metadata.name}-user-score`;
}

/** The managed topics: the events, unless the user has a topic of its own, and one per board. */
export function topics(resource: GameAnalytics): KafkaTopic[] {
  const managed = resource.spec.events.topic ? [] : [eventsKafkaTopic(resource)];
  return [...managed, ...boards(resource).map((board) => boardKafkaTopic(resource, board))];
}

/** The managed events topic; retained, it has no owner and so outlives the resource. */
function eventsKafkaTopic(resource: GameAnalytics): KafkaTopic {
  const { partitions, retention, deletionPolicy } = resource.spec.events;
  const topic = kafkaTopic(resource, eventsTopic(resource), partitions, {
    'cleanup.policy': 'delete',
    'retention.ms': millis(retention),
  });
  if (deletionPolicy === 'Retain') delete topic.metadata.ownerReferences;
  return topic;
}

/** Segments are rolled and cleaned early, so that a dashboard that starts has little to read. */
const CLEANED_EARLY = { 'segment.ms': millis('10m'), 'min.cleanable.dirty.ratio': 0.1 };

function boardKafkaTopic(resource: GameAnalytics, board: Board): KafkaTopic {
  const config = { ...cleanup(board), ...CLEANED_EARLY };
  return kafkaTopic(resource, board.topic, 1, config);
}

/** Past seasons stay readable for a week, and for three seasons where these are longer. */
function cleanup({ period }: Board): Record<string, string | number> {
  if (period?.kind !== 'season' || period.lengthMillis === null) return { 'cleanup.policy': 'compact' };
  return {
    'cleanup.policy': 'compact,delete',
    'retention.ms': Math.max(millis('7d'), 3 * period.lengthMillis),
  };
}

function kafkaTopic(
  resource: GameAnalytics,
  name: string,
  partitions: number,
  config: KafkaTopic['spec']['config'],
): KafkaTopic {
  const meta = metadata(resource, 'topics', name);
  return {
    apiVersion: 'kafka.strimzi.io/v1',
    kind: 'KafkaTopic',
    metadata: { ...meta, labels: { ...meta.labels, 'strimzi.io/cluster': resource.spec.kafka.cluster } },
    spec: { partitions, config },
  };
}
