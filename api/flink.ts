import { z } from 'zod';
import { duration } from './duration.ts';
import { integer } from './integer.ts';
import { objectName } from './object-name.ts';
import { withRules } from './rule.ts';

const MEMORY = z
  .string()
  .max(10)
  .regex(/^[1-9][0-9]{0,6}(Mi|Gi)$/, 'must be a whole number of Mi or Gi, such as 1536Mi');

function flinkProcess(who: string, memory: string, cpu: number) {
  return z.strictObject({
    memory: MEMORY.default(memory).describe(`Memory of the ${who} as a whole.`),
    cpu: z.number().min(0.1).max(64).default(cpu).describe(`Cores requested for the ${who}.`),
  });
}

/** Flink configuration that the operator writes itself, by the beginning of the key. */
export const OWNED_CONFIGURATION = [
  '$internal.',
  'execution.checkpointing.dir',
  'execution.checkpointing.interval',
  'execution.checkpointing.savepoint-dir',
  'execution.checkpointing.storage',
  'execution.target',
  'high-availability.',
  'jobmanager.memory.process.size',
  'kubernetes.cluster-id',
  'kubernetes.container.image',
  'kubernetes.namespace',
  'kubernetes.service-account',
  'parallelism.default',
  'taskmanager.memory.process.size',
  'taskmanager.numberOfTaskSlots',
];

const configuration = withRules(
  z
    .record(z.string().max(200), z.string().max(2000))
    .meta({ maxProperties: 100 })
    .describe('Passed through to Flink’s configuration. Keys the operator owns are refused.'),
  [
    ...OWNED_CONFIGURATION.map((key) => ({
      cel: `self.all(k, !k.startsWith('${key}'))`,
      message: `${key}${key.endsWith('.') ? '*' : ''} is set by the operator`,
      holds: (map: Record<string, string>) => !Object.keys(map).some((name) => name.startsWith(key)),
    })),
  ],
);

const state = withRules(
  z.strictObject({
    claim: objectName('the name of a PersistentVolumeClaim')
      .optional()
      .describe(
        'A PersistentVolumeClaim that all of Flink’s pods can mount (ReadWriteMany on several nodes).',
      ),
    uri: z
      .string()
      .max(1000)
      .regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s'"]+$/, 'must be a URI such as s3://bucket/path')
      .optional()
      .describe('An object store or file system that the Flink image can reach, such as s3://bucket/path.'),
  }),
  [
    {
      cel: 'has(self.claim) != has(self.uri)',
      message: 'set either claim or uri',
      holds: ({ claim, uri }) => (claim === undefined) !== (uri === undefined),
    },
  ],
);

/** spec.flink: the job that computes the boards. */
export const flink = z.strictObject({
  image: z
    .string()
    .min(1)
    .max(500)
    .regex(/^\S+$/, 'must be a container image')
    .optional()
    .describe(
      'Flink image with the Kafka connector and the SQL gateway. Default: the one released with the operator.',
    ),
  version: z
    .enum(['v2_2', 'v2_3'])
    .default('v2_2')
    .describe(
      'Flink version as the Flink Kubernetes Operator names it. Its release 1.15 takes none newer than v2_2, for images of Flink 2.3 too.',
    ),
  parallelism: integer(1, 256)
    .default(1)
    .describe(
      'How many tasks read and decode events, at most one per partition of their topic. What follows runs in one task each, side by side in the TaskManager, so that a board is always the board of one moment.',
    ),
  jobManager: flinkProcess('JobManager', '1Gi', 0.5).prefault({}).describe('Size of the JobManager.'),
  taskManager: flinkProcess('TaskManager', '1536Mi', 1)
    .prefault({})
    .describe('Size of the TaskManager, in which the whole job runs.'),
  checkpointInterval: duration(
    'How often the job’s state is checkpointed, from 1s to 1h.',
    '1s',
    '1h',
  ).default('10s'),
  state: state
    .optional()
    .describe(
      'Where checkpoints and savepoints are kept. Unset: no durable state; a restart replays the open seasons from Kafka.',
    ),
  configuration: configuration.default({}),
});
