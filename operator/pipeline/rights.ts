import { isDeepStrictEqual } from 'node:util';
import type { KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import { type Child, isUser } from './parts.ts';

/**
 * What is wanted of an object; of a user the rights that it has as well: the job that runs may need them until it has been
 * replaced.
 */
export function withRightsBefore({ desired, live }: Child): KubernetesObject {
  if (!isUser(desired)) return desired;
  const { spec } = desired as KafkaUser;
  const wanted = spec.authorization.acls;
  const had = (live?.spec as Partial<KafkaUser['spec']> | undefined)?.authorization?.acls ?? [];
  const only = had.filter((before) => !wanted.some((acl) => isDeepStrictEqual(acl, before)));
  return {
    ...desired,
    spec: { ...spec, authorization: { ...spec.authorization, acls: [...wanted, ...only] } },
  };
}
