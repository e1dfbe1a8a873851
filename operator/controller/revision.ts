import { createHash } from 'node:crypto';
import { LAYOUT_ANNOTATION } from '../../plan/layout.ts';
import type { FlinkDeployment, KubernetesObject } from '../../plan/objects.ts';
import type { LiveObject } from '../kube/object.ts';

/** A revision of the job: what is to run, and how its statements are laid out. */
export interface Revision {
  /** Digest of the spec. */
  id: string;
  spec: FlinkDeployment['spec'];
  /** The layout, as it is noted. */
  layout: string;
}

/** The revision that a plan's FlinkDeployment asks for. */
export function plannedRevision({ metadata, spec }: FlinkDeployment): Revision {
  return { id: digest(spec), spec, layout: metadata.annotations?.[LAYOUT_ANNOTATION] ?? '' };
}

/**
 * The last good revision of a job, kept in the cluster as StatefulSets keep theirs: in a ControllerRevision,
 * which nobody can change. Its metadata but for name and annotations is that of the FlinkDeployment.
 */
export function controllerRevision(deployment: FlinkDeployment, revision: Revision): KubernetesObject {
  const { annotations: _, ...metadata } = deployment.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { ...metadata, name: `${metadata.name}-${revision.id}` },
    revision: 1,
    data: revision,
  };
}

/** The revision that a ControllerRevision keeps. */
export function keptRevision(object: LiveObject): Revision {
  return object.data as Revision;
}

/** A short digest of a value, whatever the order of its fields. */
export function digest(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return createHash('sha256').update(sorted).digest('hex').slice(0, 10);
}
