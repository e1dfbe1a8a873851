import { KAFKA_TOPIC } from '../../../../operator/kube/kinds.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';

/** An object of the kind the tests watch. The uid is the name's, unless it is one of several of that name. */
export function topic(name: string, version: number, more: Partial<LiveObject['metadata']> = {}): LiveObject {
  const { apiVersion, kind } = KAFKA_TOPIC;
  return {
    apiVersion,
    kind,
    metadata: { namespace: 'games', name, uid: `uid-of-${name}`, resourceVersion: String(version), ...more },
  };
}

export function namesOf(objects: Iterable<LiveObject>): string[] {
  return [...objects].map(({ metadata }) => metadata.name).sort();
}
