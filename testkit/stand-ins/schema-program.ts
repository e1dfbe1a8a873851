import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import type { SchemaUse } from '../../api/schema-columns.ts';
import type { FoundSchema, Status } from '../../api/status.ts';
import { DEPLOYMENT } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import type { Deployment } from '../../plan/objects.ts';
import type { Behavior, StepContext } from './controller.ts';
import type { LiveDeployment } from './deployment-status.ts';

/** What becomes of it: it finds a schema with just what the resource needs, or its pod never runs. */
export type SchemaOutcome = 'found' | 'stuck';

const VERSION = 3;

/** The program that reads schemas, which writes to the status of the resource what it finds. */
export class SchemaPrograms implements Behavior<LiveDeployment> {
  readonly kind = DEPLOYMENT;
  readonly fieldManager = 'gameanalytics-schema';
  readonly #outcome: SchemaOutcome;

  constructor(outcome: SchemaOutcome) {
    this.#outcome = outcome;
  }

  async step(deployment: LiveDeployment, { api }: StepContext): Promise<undefined> {
    const { labels, deletionTimestamp } = deployment.metadata;
    if (labels?.['app.kubernetes.io/component'] !== 'schema' || deletionTimestamp) return;
    if (this.#outcome === 'stuck') return;
    const { env } = (deployment.spec as Deployment['spec']).template.spec.containers[0];
    const variable = (name: string) => env.find((one) => one.name === name)?.value ?? '';
    const place = JSON.parse(variable('SCHEMA_RESOURCE')) as { namespace: string; name: string };
    const { needed } = JSON.parse(variable('SCHEMA_USE')) as SchemaUse;
    const columns = new Map(needed.map(({ column, type = 'STRING' }) => [column, type]));
    const schema: FoundSchema = {
      digest: variable('SCHEMA_DIGEST'),
      subject: variable('SCHEMA_SUBJECT'),
      version: VERSION,
      columns: [...columns].map(([name, type]) => ({ name, type })),
    };
    const object = { apiVersion: API_VERSION, kind: KIND, metadata: place };
    const live = await api.get<LiveObject>(object);
    const { schema: before } = (live?.status ?? {}) as Status;
    if (live && JSON.stringify(before) !== JSON.stringify(schema))
      await api.apply(
        { ...object, metadata: { ...place, uid: live.metadata.uid }, status: { schema } },
        'status',
      );
  }
}
