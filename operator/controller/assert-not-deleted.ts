import type { KubeClient } from '../kube/client.ts';
import { kindOf } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';

/** A resource was deleted before the watch has told so. */
export class ResourceDeletedError extends Error {
  override name = 'ResourceGone';
}

/**
 * Asks the API server itself; throws ResourceGone when the resource is deleted, or was and there is another
 * of its name.
 */
export async function assertNotDeleted(client: KubeClient, resource: LiveObject): Promise<void> {
  const { namespace = '', name, uid } = resource.metadata;
  const now = await client.get(kindOf(resource), namespace, name);
  if (now?.metadata.uid !== uid || now.metadata.deletionTimestamp)
    throw new ResourceDeletedError(`${namespace}/${name} is gone`);
}
