import { createHash } from 'node:crypto';
import type { LiveObject } from '../../operator/kube/object.ts';
import { LAYOUT_ANNOTATION } from '../../plan/layout.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';

type Spec = FlinkDeployment['spec'];

/**
 * An object as it is whatever its resource has gone through. Where a job's statements stand, and with it its
 * revision, depends on the changes that there were, and on which of them the operator saw.
 */
export function withoutHistory(object: LiveObject): LiveObject {
  const { kind, metadata } = object;
  if (kind !== 'FlinkDeployment' && kind !== 'ControllerRevision') return object;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !DIGESTS.includes(name));
  const plain = { ...metadata, annotations: Object.fromEntries(annotations) };
  if (kind === 'FlinkDeployment') return { ...object, metadata: plain, spec: ofSpec(object.spec as Spec) };
  const { spec } = object.data as { spec: Spec };
  return { ...object, metadata: { ...plain, name: nameWithoutRevision(metadata.name) }, data: ofSpec(spec) };
}

/** Annotations that tell one layout from another. */
const DIGESTS = [LAYOUT_ANNOTATION, 'gameanalytics.dev/revision', 'gameanalytics.dev/applied'];

/** arcade-job-0123456789 is a revision of arcade-job. */
export function nameWithoutRevision(name = ''): string {
  return name.replace(/-[0-9a-f]{10}$/, '');
}

/**
 * A digest of what a script computes: its statements for boards that there are, in any order and from any
 * scan of the events.
 */
export function digestOf(script: string): string {
  const [, ...statements] = script
    .replace(/([`'])(raw|valid)_events_\d+\1/g, '$1$2_events$1')
    .replace(/END;\s*$/, '')
    .split(/^(?=INSERT INTO )/m);
  const live = statements.filter((statement) => !statement.startsWith('INSERT INTO `removed_'));
  const sorted = live.map(withoutScan).sort();
  return createHash('sha256').update(sorted.join('\n')).digest('hex').slice(0, 8);
}

/** A statement without what a query is put into when its events are not those of the first scan. */
function withoutScan(statement: string): string {
  return statement
    .trim()
    .replace(/;$/, '')
    .replace(
      /\nWITH valid_events AS \(SELECT \* FROM valid_events_\d+\)\nSELECT \* FROM \(\n([\s\S]*)\n\)(?=\n {2}\) AS ranked )/,
      '\n$1',
    )
    .trim();
}

function ofSpec({ job, ...spec }: Spec): object {
  return { ...spec, job: { ...job, args: digestOf(job.args.join('\n')) } };
}
