import { flinkName } from '../../plan/flink.ts';
import { CONTROLLER_REVISION, FLINK_DEPLOYMENT, type Kind } from '../kube/kinds.ts';
import { compareVersions, type LiveObject } from '../kube/object.ts';
import { keptRevision, type Revision } from './revision.ts';

/** What is known of the cluster without asking it: what the watches reported, and our own writes. */
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

/** What there is of a pipeline at one moment. */
export interface Observed {
  children: LiveObject[];
  pods: LiveObject[];
  /** The FlinkDeployment, among the children. */
  job: LiveObject | undefined;
  /** The last revision of the job that came up. */
  lastGood: Revision | undefined;
  /** Whether the cluster knows FlinkDeployments. */
  servesFlink: boolean;
}

export function observe(
  cache: ClusterCache,
  resource: { metadata: { namespace?: string | undefined; name: string } },
): Observed {
  const { namespace = '', name } = resource.metadata;
  const children = cache.children(namespace, name);
  const isJob = ({ kind, metadata }: LiveObject) =>
    kind === FLINK_DEPLOYMENT.kind && metadata.name === flinkName(resource);
  // The newest of those kept, should a crash have left two.
  const [newest] = children
    .filter(({ kind }) => kind === CONTROLLER_REVISION.kind)
    .sort((a, b) => compareVersions(b.metadata.resourceVersion, a.metadata.resourceVersion));
  return {
    children,
    pods: cache.pods(namespace, name),
    job: children.find(isJob),
    lastGood: newest && keptRevision(newest),
    servesFlink: cache.serves(FLINK_DEPLOYMENT),
  };
}
