import { isDeepStrictEqual } from 'node:util';
import type { KafkaAcl, KafkaUser } from '../../plan/objects.ts';
import type { LiveMetadata, LiveObject } from '../kube/object.ts';
import type { ChildCondition } from './kafka-condition.ts';
import { ownershipOf } from './ownership.ts';
import { type Child, isReady } from './parts.ts';

/**
 * The user with the rights that it has as well: the job that runs may need them until it has been replaced.
 */
export function keepExistingAcls(user: KafkaUser, live: LiveObject | undefined): KafkaUser {
  const wanted = user.spec.authorization.acls;
  return withAcls(user, [...wanted, ...aclsOf(live).filter((acl) => !includes(wanted, acl))]);
}

/**
 * The user with those of its rights that it may have now, and the topics for which it has to wait. Only
 * Strimzi knows whether a topic is ours in Kafka too, so a right to one is given once Strimzi says that the
 * topic is ready, and taken when it is not ours.
 *
 * @param topics the topics of the plan; rights to others, such as the user's own with the events, are given
 * at once
 * @param owner the resource
 */
export function grantedRights(
  user: KafkaUser,
  live: LiveObject | undefined,
  topics: Child[],
  owner: LiveMetadata,
): { user: KafkaUser; waitsFor: string[] } {
  const had = aclsOf(live);
  const { acls } = user.spec.authorization;
  const withheld = acls.filter((acl) => {
    const topic = topics.find(({ desired }) => isRightTo(acl, desired.metadata.name));
    return topic && !(isOurs(topic, owner) && (isReady(topic) || includes(had, acl)));
  });
  return {
    user: withAcls(
      user,
      acls.filter((acl) => !withheld.includes(acl)),
    ),
    waitsFor: [...new Set(withheld.map(({ resource }) => resource.name))],
  };
}

function isRightTo({ resource }: KafkaAcl, topic: string): boolean {
  return resource.type === 'topic' && resource.name === topic;
}

/** Two KafkaTopics of different names can ask for one topic in Kafka; Strimzi serves the older one. */
function isOurs({ live }: Child, owner: LiveMetadata): boolean {
  if (!live || ownershipOf(live, owner) !== 'ours') return false;
  const { conditions = [] } = (live.status ?? {}) as { conditions?: ChildCondition[] };
  return !conditions.some(({ reason }) => reason === 'ResourceConflict');
}

function aclsOf(live: LiveObject | undefined): KafkaAcl[] {
  return (live?.spec as Partial<KafkaUser['spec']> | undefined)?.authorization?.acls ?? [];
}

function withAcls(user: KafkaUser, acls: KafkaAcl[]): KafkaUser {
  return { ...user, spec: { ...user.spec, authorization: { ...user.spec.authorization, acls } } };
}

function includes(acls: KafkaAcl[], acl: KafkaAcl): boolean {
  return acls.some((other) => isDeepStrictEqual(other, acl));
}
