import { z } from 'zod';
import { celSeconds, duration, millis } from './duration.ts';
import { integer } from './integer.ts';
import { leaderboard } from './leaderboard.ts';
import { namesAreUnique, withRules } from './rule.ts';
import { status } from './status.ts';

export const GROUP = 'gameanalytics.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'GameAnalytics';
export const API_VERSION = `${GROUP}/${VERSION}`;

const quantity = (what: string) =>
  z
    .string()
    .max(20)
    .regex(
      /^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|k|M|G)?$/,
      'must be a Kubernetes quantity, such as "250m", "1.5" or 256Mi',
    )
    .describe(what);

const resourceList = z.strictObject({
  cpu: quantity('Processor time in cores: "250m" is a quarter of one.').optional(),
  memory: quantity('Memory: 256Mi, 1Gi.').optional(),
});

const resources = z.strictObject({
  requests: resourceList.optional().describe('What the container is scheduled with.'),
  limits: resourceList.optional().describe('What the container may use at most.'),
});

const LISTENER_NAME = /^[a-z0-9]{1,11}$/;
/** With at least one character that is not a dot: Kafka has no topics . and .. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]*[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/;

const kafka = z.strictObject({
  cluster: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kafka resource')
    .meta({
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'kafka.cluster cannot be changed' }],
    })
    .describe('Name of the Strimzi Kafka resource in this namespace. Cannot be changed.'),
  listener: z
    .string()
    .max(11)
    .regex(LISTENER_NAME, 'must be the name of a listener: up to 11 lower case letters and digits')
    .default('plain')
    .describe('Which of its listeners to use; the address is read from the Kafka’s status.'),
});

const events = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(249)
    .regex(TOPIC_NAME, 'must be a Kafka topic name: letters, digits, . _ and -')
    .optional()
    .describe(
      'A topic of your own that holds the events; it is never created, changed or deleted. Unset: the topic <name>-user-score is managed.',
    ),
  partitions: integer(1, 1000)
    .default(3)
    .meta({
      'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'partitions may grow, never shrink' }],
    })
    .describe('Partitions of the managed topic. May grow, never shrink.'),
  retention: duration(
    'How long the managed topic keeps events, from 10m. At least twice the longest season, so that a restart can replay the open and the last season.',
  ).default('24h'),
  deletionPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of the managed topic when the resource is deleted.'),
  maxLateness: duration(
    'How late an event may reach Kafka and still count in the streaks (the watermark’s delay), up to 1h. Totals count later ones too.',
  ).default('5s'),
});

const DEFAULT_LEADERBOARDS = [
  { name: 'top-teams', type: 'TopTeams' as const },
  { name: 'top-players', type: 'TopPlayers' as const },
  { name: 'hot-streakers', type: 'HotStreakers' as const },
  { name: 'team-mvps', type: 'TeamMvps' as const, title: 'Team MVPs' },
];

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
    claim: z
      .string()
      .max(253)
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a PersistentVolumeClaim')
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

const flink = z.strictObject({
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
    .enum(['v2_3'])
    .default('v2_3')
    .describe('Flink version of the image, as the Flink Kubernetes Operator names it.'),
  parallelism: integer(1, 256).default(1).describe('Parallelism of the job.'),
  jobManager: flinkProcess('JobManager', '1Gi', 0.5).prefault({}).describe('Size of the JobManager.'),
  taskManager: flinkProcess('TaskManager', '1536Mi', 1).prefault({}).describe('Size of each TaskManager.'),
  checkpointInterval: duration('How often the job’s state is checkpointed, from 1s to 1h.').default('10s'),
  state: state
    .optional()
    .describe(
      'Where checkpoints and savepoints are kept. Unset: no durable state; a restart replays the open seasons from Kafka.',
    ),
  configuration: configuration.default({}),
});

const range = withRules(
  z.strictObject({
    min: integer(1, 100).default(5).describe('Members of the smallest team.'),
    max: integer(1, 100).default(15).describe('Members of the largest team.'),
  }),
  [
    {
      cel: 'self.min <= self.max',
      message: 'min must not be above max',
      holds: ({ min, max }) => min <= max,
    },
  ],
);

const lateEvents = withRules(
  z.strictObject({
    share: z.number().min(0).max(1).default(0.02).describe('Share of events that arrive late, from 0 to 1.'),
    minDelay: duration('Least delay of a late event.').default('5m'),
    maxDelay: duration('Greatest delay of a late event, up to 1d.').default('10m'),
  }),
  [
    {
      cel: `${celSeconds('self.minDelay')} <= ${celSeconds('self.maxDelay')} && ${celSeconds('self.maxDelay')} <= 86400`,
      message: 'minDelay must not be above maxDelay, nor maxDelay above 1d',
      holds: ({ minDelay, maxDelay }) =>
        millis(minDelay) <= millis(maxDelay) && millis(maxDelay) <= millis('1d'),
    },
  ],
);

const injector = z.strictObject({
  eventsPerSecond: z.number().min(0.1).max(50_000).default(20).describe('Mean rate of all events together.'),
  liveTeams: integer(1, 10_000).default(15).describe('Teams that play at any time.'),
  membersPerTeam: range.prefault({}).describe('How many players a team has.'),
  maxScore: integer(1, 1_000_000).default(20).describe('Greatest score of one event.'),
  robotProbability: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Chance that a new team has a robot, which plays at a steady high rate.'),
  lateEvents: lateEvents.prefault({}).describe('Events that arrive long after they happened.'),
  seed: integer(0, 4_294_967_295)
    .optional()
    .describe('The same seed gives the same sequence of events. Unset: another game each time.'),
  resources: resources.prefault({}).describe('Resources of the injector’s container.'),
});

const ingress = z.strictObject({
  host: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a host name')
    .describe('Host name under which the dashboard is served.'),
  className: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .optional()
    .describe('IngressClass to use.'),
  tlsSecret: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .optional()
    .describe('Secret with the certificate. Unset: plain HTTP.'),
});

const dashboard = z.strictObject({
  replicas: integer(0, 100).default(1).describe('Copies of the dashboard. Each shows the same.'),
  title: z.string().min(1).max(80).optional().describe('Heading of the page. Default: the resource’s name.'),
  ingress: ingress.optional().describe('Makes an Ingress to the dashboard’s Service.'),
  resources: resources.prefault({}).describe('Resources of the dashboard’s container.'),
});

const LONGEST_SEASON = `self.leaderboards.all(b, b.type in ['HotStreakers', 'Query'] || (has(b.season) && b.season == 'none') || 2 * (${celSeconds("(has(b.season) ? b.season : '1h')")}) <= ${celSeconds('self.events.retention')})`;

const between = (field: string, least: string, most: string, parent: string) => ({
  cel: `${celSeconds(`self.${parent}.${field}`)} >= ${millis(least) / 1000} && ${celSeconds(`self.${parent}.${field}`)} <= ${millis(most) / 1000}`,
  message: `${field} must be from ${least} to ${most}`,
  field: `${parent}.${field}`,
});

const spec = withRules(
  z.strictObject({
    kafka: kafka.describe('The Kafka cluster that carries events and boards.'),
    events: events.prefault({}).describe('Where the game’s events are.'),
    leaderboards: z
      .array(leaderboard)
      .min(1)
      .max(16)
      .prefault(DEFAULT_LEADERBOARDS)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .describe('The leaderboards, in the order the dashboard shows them.'),
    flink: flink.prefault({}).describe('The Flink job that computes the leaderboards.'),
    injector: injector
      .optional()
      .describe('A simulated game that produces events. Unset: the events come from a real one.'),
    dashboard: dashboard.prefault({}).describe('The page that shows the leaderboards.'),
    paused: z.boolean().default(false).describe('Leaves everything as it is until set back to false.'),
  }),
  [
    {
      cel: LONGEST_SEASON,
      message:
        'retention must be at least twice the longest season, so that a restart can replay the open and the last one',
      field: 'events.retention',
      holds: ({ events, leaderboards }) =>
        leaderboards.every(
          (b) =>
            !('seasonMillis' in b) ||
            b.seasonMillis === null ||
            2 * b.seasonMillis <= millis(events.retention),
        ),
    },
    {
      ...between('maxLateness', '1s', '1h', 'events'),
      holds: ({ events }) => inRange(events.maxLateness, '1s', '1h'),
    },
    {
      ...between('retention', '10m', '999999d', 'events'),
      holds: ({ events }) => millis(events.retention) >= millis('10m'),
    },
    {
      ...between('checkpointInterval', '1s', '1h', 'flink'),
      holds: ({ flink }) => inRange(flink.checkpointInterval, '1s', '1h'),
    },
    {
      message: 'the names of leaderboards must be unique',
      field: 'leaderboards',
      holds: ({ leaderboards }) => namesAreUnique(leaderboards),
    },
  ],
);

function inRange(text: string, least: string, most: string): boolean {
  return millis(text) >= millis(least) && millis(text) <= millis(most);
}

const NAME_PATTERN = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const metadata = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(40)
    .regex(NAME_PATTERN, 'must be lower case letters, digits and -, beginning with a letter'),
  namespace: z.string().max(63).optional(),
  uid: z.string().optional(),
});

/** A GameAnalytics resource. Its parsed form has every default filled in. */
export const gameAnalytics = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(KIND),
    metadata,
    spec: spec.describe('What the pipeline should be.'),
    status: status.optional().describe('What the operator last saw. Written by the operator.'),
  }),
  [
    {
      // Our parser holds this one by the schema above; metadata is not part of the CRD's.
      cel: `size(self.metadata.name) <= 40 && self.metadata.name.matches('${NAME_PATTERN.source}')`,
      message: 'the name must be at most 40 lower case letters, digits and -, beginning with a letter',
    },
    {
      // The job would read its own board, and the plan would manage a topic that is the user's.
      cel: "!has(self.spec.events.topic) || !self.spec.events.topic.startsWith(self.metadata.name + '-') || self.spec.leaderboards.all(b, self.spec.events.topic.substring(size(self.metadata.name) + 1) != b.name)",
      message: 'events.topic must not be the topic of a leaderboard, <name>-<leaderboard>',
      field: 'spec.events.topic',
      holds: ({ metadata, spec }) =>
        !spec.leaderboards.some(({ name }) => spec.events.topic === `${metadata.name}-${name}`),
    },
  ],
);

export type GameAnalytics = z.output<typeof gameAnalytics>;
