import { needsSchema } from '../api/gameanalytics.ts';
import project from '../package.json' with { type: 'json' };
import { plan } from '../plan/plan.ts';
import { sqlScript } from '../plan/sql.ts';
import { readManifest } from './manifest.ts';
import { commandLine, UsageError } from './usage.ts';
import { toYaml } from './yaml.ts';

/** What `make images` builds, and the operator's chart takes. */
const APP_IMAGE = `gameanalytics/app:${project.version}`;
const FLINK_IMAGE = `gameanalytics/flink:${project.version}`;

const HELP = `gameanalytics render FILE [options]

Prints the Kubernetes objects that a GameAnalytics manifest becomes, as the operator would apply them.

  --only sql            print just the Flink SQL script
  --bootstrap ADDRESS   address of the Kafka listener (default: Strimzi's Service, <cluster>-kafka-bootstrap, at port 9092, or 9093 with authentication)
  --image IMAGE         image of the injector and the dashboard (default: ${APP_IMAGE})
  --flink-image IMAGE   Flink image where the manifest names none (default: ${FLINK_IMAGE})
`;

const OPTIONS = {
  only: { type: 'string' },
  bootstrap: { type: 'string' },
  image: { type: 'string' },
  'flink-image': { type: 'string' },
} as const;

export async function render(args: string[]): Promise<void> {
  const line = commandLine(args, HELP, OPTIONS);
  if (!line) return;
  const { only, bootstrap, image = APP_IMAGE, 'flink-image': flinkImage = FLINK_IMAGE } = line.values;
  if (only !== undefined && only !== 'sql') throw new UsageError(`--only takes sql, not ${only}`);
  const resource = await readManifest(line.file);
  if (needsSchema(resource.spec))
    throw new UsageError(
      `${line.file} names no events.columns, and render asks no schema registry. Name them: gameanalytics columns prints those of a schema.`,
    );
  const { cluster, authentication } = resource.spec.kafka;
  const bootstrapServers = bootstrap ?? `${cluster}-kafka-bootstrap:${authentication ? 9093 : 9092}`;
  if (only === 'sql') {
    process.stdout.write(sqlScript(resource, bootstrapServers));
    return;
  }
  const objects = plan(resource, { bootstrapServers, appImage: image, flinkImage });
  process.stdout.write(objects.map(toYaml).join('---\n'));
}
