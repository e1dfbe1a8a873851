import { isDeepStrictEqual } from 'node:util';
import type { KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import type { LiveObject } from '../kube/object.ts';
import { paired } from './changes.ts';

/** A user with the rights it is to have and those that it has: the job that runs may need them until it has been replaced. */
export function withRightsBefore(user: KubernetesObject, children: LiveObject[]): KubernetesObject {
  const { spec } = user as KafkaUser;
  const live = paired([user], children)[0]?.live?.spec as Partial<KafkaUser['spec']> | undefined;
  const wanted = spec.authorization.acls;
  const only = (live?.authorization?.acls ?? []).filter(
    (before) => !wanted.some((acl) => isDeepStrictEqual(acl, before)),
  );
  return { ...user, spec: { ...spec, authorization: { ...spec.authorization, acls: [...wanted, ...only] } } };
}
