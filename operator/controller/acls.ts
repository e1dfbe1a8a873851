import { isDeepStrictEqual } from 'node:util';
import type { KafkaAcl, KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import type { LiveMetadata, LiveObject } from '../kube/object.ts';
import type { Problem } from './apply.ts';
import { type Child, matchByName } from './children.ts';
import { strimziProblem } from './conditions.ts';
import type { ChildCondition } from './kafka-condition.ts';
import { findOwnership } from './ownership.ts';
import { conditionFalse } from './status.ts';

/**
 * The users of the plan with the rights that they may have now, and those that are made later: one that is
 * not there yet waits until it may have all of its rights.
 *
 * @param topics the topics of the plan
 * @param owner the resource
 * @param keepOthers whether they keep the rights that they have in addition
 */
export function grantUsers(
  users: KafkaUser[],
  topics: KubernetesObject[],
  children: LiveObject[],
  owner: LiveMetadata,
  { keepOthers }: { keepOthers: boolean },
): { granted: KafkaUser[]; waiting: Problem[] } {
  const known = matchByName(topics, children);
  const all = matchByName(users, children).map(({ desired, live }) => {
    const wanted = keepOthers ? keepExistingAcls(desired, live) : desired;
    return { live, ...grantedRights(wanted, live, known, owner) };
  });
  return {
    granted: all.filter(({ live, waitsFor }) => live || waitsFor.length === 0).map(({ user }) => user),
    waiting: all
      .filter(({ live, waitsFor }) => !live && waitsFor.length > 0)
      .map(({ user, waitsFor }) => {
        const message = `${user.kind} ${user.metadata.name} is made once KafkaTopic ${waitsFor[0]} is ready.`;
        return { component: 'users', condition: conditionFalse('Progressing', message) };
      }),
  };
}

/**
 * The user with the rights that it has as well: the job that runs may need them until it has been replaced.
 */
export function keepExistingAcls(user: KafkaUser, live: LiveObject | undefined): KafkaUser {
  const wanted = user.spec.authorization.acls;
  return withAcls(user, [...wanted, ...readAcls(live).filter((acl) => !includes(wanted, acl))]);
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
  const had = readAcls(live);
  const { acls } = user.spec.authorization;
  const withheld = acls.filter((acl) => {
    const { type, name } = acl.resource;
    const topic = topics.find(({ desired }) => type === 'topic' && name === desired.metadata.name);
    if (!topic) return false;
    const isReady = strimziProblem(topic) === undefined;
    return !(isOurs(topic, owner) && (isReady || includes(had, acl)));
  });
  return {
    user: withAcls(
      user,
      acls.filter((acl) => !withheld.includes(acl)),
    ),
    waitsFor: [...new Set(withheld.map(({ resource }) => resource.name))],
  };
}

function isOurs({ live }: Child, owner: LiveMetadata): boolean {
  if (!live || findOwnership(live, owner) !== 'ours') return false;
  // Two KafkaTopics of different names can ask for one topic in Kafka; Strimzi serves the older one.
  const { conditions = [] } = (live.status ?? {}) as { conditions?: ChildCondition[] };
  return !conditions.some(({ reason }) => reason === 'ResourceConflict');
}

function readAcls(live: LiveObject | undefined): KafkaAcl[] {
  return (live?.spec as Partial<KafkaUser['spec']> | undefined)?.authorization?.acls ?? [];
}

function withAcls(user: KafkaUser, acls: KafkaAcl[]): KafkaUser {
  return { ...user, spec: { ...user.spec, authorization: { ...user.spec.authorization, acls } } };
}

function includes(acls: KafkaAcl[], acl: KafkaAcl): boolean {
  return acls.some((other) => isDeepStrictEqual(other, acl));
}
