import type { Kind } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';

/** What is known of the cluster without asking it: what the watches told, and our own writes. */
export interface ClusterCache {
  resource(namespace: string, name: string): LiveObject | undefined;
  kafka(namespace: string, name: string): LiveObject | undefined;
  /** Everything that is labelled as a resource's. */
  children(namespace: string, resource: string): LiveObject[];
  /** The pods of a resource's programs and of its job, as far as podStatusOnly() keeps them. */
  pods(namespace: string, resource: string): LiveObject[];
  /** Whether the cluster knows a kind. */
  serves(kind: Kind): boolean;
  /** Takes in the answer to a write of our own. */
  put(object: LiveObject): void;
  /** Takes in that we deleted an object. */
  remove(object: LiveObject): void;
}
