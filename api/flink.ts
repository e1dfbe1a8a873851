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
    cpu: z
      .number()
      .min(0.1)
      .max(64)
      .default(cpu)
      .describe(`Cores requested for the ${who}. It may use twice as many, and at least 2.`),
  });
}

/**
 * Keys that the plan sets, or the Flink Kubernetes Operator from what the plan gives it, and other ways to
 * the same. Flink reads deprecated names of a key too: they stand next to it.
 */
const OWNED_KEYS = [
  'execution.checkpointing.dir',
  'state.checkpoints.dir',
  'state.backend.fs.checkpointdir',
  'execution.checkpointing.interval',
  'execution.checkpointing.savepoint-dir',
  'state.savepoints.dir',
  'savepoints.state.backend.fs.dir',
  'execution.checkpointing.storage',
  'state.checkpoint-storage',
  'execution.state-recovery.ignore-unclaimed-state',
  'execution.savepoint.ignore-unclaimed-state',
  'execution.state-recovery.path',
  'execution.savepoint.path',
  'execution.target',
  'high-availability.cluster-id',
  'high-availability.zookeeper.path.namespace',
  'recovery.zookeeper.path.namespace',
  'high-availability.storageDir',
  'high-availability.zookeeper.storageDir',
  'recovery.zookeeper.storageDir',
  'high-availability.type',
  'high-availability',
  'recovery.mode',
  'jobmanager.memory.process.size',
  'kubernetes.cluster-id',
  'kubernetes.container.image.ref',
  'kubernetes.container.image',
  'kubernetes.jobmanager.cpu.amount',
  'kubernetes.jobmanager.cpu',
  'kubernetes.jobmanager.service-account',
  'kubernetes.namespace',
  'kubernetes.pod-template-file.default',
  'kubernetes.pod-template-file.jobmanager',
  'kubernetes.pod-template-file.taskmanager',
  'kubernetes.pod-template-file',
  'kubernetes.service-account',
  'kubernetes.taskmanager.cpu.amount',
  'kubernetes.taskmanager.cpu',
  'kubernetes.taskmanager.service-account',
  'parallelism.default',
  'taskmanager.memory.process.size',
  'taskmanager.numberOfTaskSlots',
  // Other ways to another parallelism: a board would show several moments at once.
  'job.autoscaler.enabled',
  'kubernetes.operator.job.autoscaler.enabled',
  'pipeline.jobvertex-parallelism-overrides',
  'pipeline.jobvertex-parallelism-overrides.*',
  'table.exec.resource.default-parallelism',
  // The NetworkPolicy protects this port, and the Flink operator asks this address.
  'rest.address',
  'jobmanager.rpc.address',
  'rest.bind-address',
  'web.address',
  'jobmanager.web.address',
  'rest.bind-port',
  'rest.port',
  'web.port',
  'jobmanager.web.port',
];

/**
 * Keys that would give pods other rights, networks, volumes or Secrets, or other code, or have the Flink
 * operator read its own files.
 */
const PRIVILEGED_KEYS = [
  'containerized.*',
  'env.*',
  'kubernetes.artifacts.*',
  'kubernetes.config.file',
  'kubernetes.context',
  'kubernetes.entry.path',
  'kubernetes.env.secretKeyRef',
  'kubernetes.hadoop.conf.config-map.name',
  'kubernetes.hostnetwork.enabled',
  'kubernetes.internal-service.annotations',
  'kubernetes.internal-service.annotations.*',
  'kubernetes.internal-service.labels',
  'kubernetes.internal-service.labels.*',
  'kubernetes.internal.jobmanager.entrypoint.class',
  'kubernetes.jobmanager.annotations',
  'kubernetes.jobmanager.annotations.*',
  'kubernetes.jobmanager.entrypoint.args',
  'kubernetes.jobmanager.labels',
  'kubernetes.jobmanager.labels.*',
  'kubernetes.jobmanager.owner.reference',
  'kubernetes.persistent-volume-claims',
  'kubernetes.persistent-volume-claims.*',
  'kubernetes.rest-service.annotations',
  'kubernetes.rest-service.annotations.*',
  'kubernetes.rest-service.exposed.type',
  'kubernetes.rest-service.labels',
  'kubernetes.rest-service.labels.*',
  'kubernetes.secrets',
  'kubernetes.secrets.*',
  'kubernetes.taskmanager.annotations',
  'kubernetes.taskmanager.annotations.*',
  'kubernetes.taskmanager.entrypoint.args',
  'kubernetes.taskmanager.labels',
  'kubernetes.taskmanager.labels.*',
  'pipeline.cached-files',
  'pipeline.classpaths',
  'pipeline.jars',
  'security.context.factory.classes',
  'security.kerberos.krb5-conf.path',
  'security.kerberos.login.keytab',
  'security.keytab',
  'security.module.factory.classes',
  'user.artifacts.*',
];

/** Keys that the job's SQL script sets, which Flink reads after its configuration. */
export const SCRIPT_KEYS = [
  'table.exec.mini-batch.allow-latency',
  'table.exec.mini-batch.enabled',
  'table.exec.mini-batch.size',
  'table.exec.source.idle-timeout',
  'table.exec.state.ttl',
  'table.exec.uid.format',
  'table.exec.uid.generation',
  'table.local-time-zone',
  'table.optimizer.agg-phase-strategy',
];

/** Keys that flink.configuration refuses, and why each; `a.*` is every key that begins with `a.`. */
export const REFUSED_KEYS = [
  ...OWNED_KEYS.map((key) => ({ key, why: 'is reserved for the operator' })),
  ...SCRIPT_KEYS.map((key) => ({ key, why: 'is reserved for the job’s SQL script, which sets it' })),
  ...PRIVILEGED_KEYS.map((key) => ({ key, why: 'is refused: it changes what pods may do or run' })),
];

/** Whether `refused`, an entry of REFUSED_KEYS, refuses a key. */
export function refusesKey(refused: string, key: string): boolean {
  return refused.endsWith('.*') ? key.startsWith(refused.slice(0, -1)) : key === refused;
}

/**
 * Flink writes keys into its YAML as they are: with a blank, a colon or a new line one could be read as
 * another.
 */
const KEY_PATTERN = /^[a-zA-Z0-9._-]{1,200}$/;

const configuration = withRules(
  z
    .record(
      z.string(),
      z
        .string()
        .max(2000)
        .regex(/^\P{Cc}*$/u, 'must not have control characters'),
    )
    .meta({ maxProperties: 100 })
    .describe(
      'Passed through to Flink’s configuration. Refused are keys that are reserved for the operator, under any of their names, or for the job’s SQL script, and those that change what pods may do or run.',
    ),
  [
    {
      cel: `self.all(k, k.matches('${KEY_PATTERN.source}'))`,
      message: 'a key must be at most 200 letters, digits, dots, hyphens and underscores',
      holds: (map: Record<string, string>) => Object.keys(map).every((key) => KEY_PATTERN.test(key)),
    },
    ...REFUSED_KEYS.map(({ key, why }) => ({
      cel: key.endsWith('.*') ? `self.all(k, !k.startsWith('${key.slice(0, -1)}'))` : `!('${key}' in self)`,
      message: `${key} ${why}`,
      holds: (map: Record<string, string>) => !Object.keys(map).some((name) => refusesKey(key, name)),
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
  jobManager: flinkProcess('JobManager', '1Gi', 0.15).prefault({}).describe('Size of the JobManager.'),
  taskManager: flinkProcess('TaskManager', '1536Mi', 0.25)
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
