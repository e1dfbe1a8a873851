/** The conditions of a GameAnalytics, the summary first. */
export const CONDITION_TYPES = [
  'Ready',
  'KafkaReady',
  'SchemaReady',
  'TopicsReady',
  'UsersReady',
  'JobRunning',
  'InjectorReady',
  'DashboardReady',
  'ResultsReady',
  'HistoryReady',
  'FieldConflict',
] as const;

export type ConditionType = (typeof CONDITION_TYPES)[number];

interface Documentation {
  means: string;
  /** The type of the Kubernetes event to record when a condition takes this reason; none when left out. */
  event?: 'Normal' | 'Warning';
}

/**
 * Every reason a condition can have. The message has the details, and quotes the component that rejected the
 * change.
 */
export const REASONS = {
  Ready: { means: 'Every part of the pipeline is there and works.', event: 'Normal' },
  Paused: { means: 'spec.paused is true: nothing is written until it is false again.', event: 'Normal' },
  InvalidSpec: {
    means: 'The spec cannot be used; what runs is left as it was. The message lists every problem.',
    event: 'Warning',
  },

  Available: { means: 'This part is there and works.' },
  Disabled: { means: 'The spec asks for none.' },
  WaitingForDependency: { means: 'Something else must be there first; the message names it.' },
  Progressing: { means: 'Applied; waiting for the responsible controller to report.' },
  NotReady: {
    means: 'The responsible controller reports a failure; the message quotes it.',
    event: 'Warning',
  },
  ApplyFailed: {
    means:
      'The API server rejected an object; the message quotes it. The operator retries with exponential backoff.',
    event: 'Warning',
  },
  NameConflict: {
    means: 'An object of that name belongs to another owner and is left alone: rename one of the two.',
    event: 'Warning',
  },

  StrimziMissing: {
    means: 'The cluster does not know Strimzi’s kinds: install Strimzi.',
    event: 'Warning',
  },
  KafkaMissing: { means: 'There is no Kafka of the name in spec.kafka.cluster.', event: 'Warning' },
  ListenerMissing: {
    means: 'The Kafka has no such listener, or no address for it.',
    event: 'Warning',
  },
  ListenerMismatch: {
    means: 'The listener asks for other authentication, or other encryption, than the spec gives.',
    event: 'Warning',
  },

  SchemaMissing: {
    means:
      'The schema registry does not answer, has no schema of the events, or one without what the spec uses: the message says which. It is asked again.',
    event: 'Warning',
  },

  FlinkOperatorMissing: {
    means: 'The cluster does not know FlinkDeployments: install the Flink Kubernetes Operator.',
    event: 'Warning',
  },
  Running: { means: 'The job runs the SQL of this spec.' },
  Deploying: { means: 'The job is being started for the first time.' },
  Upgrading: {
    means: 'The job is being replaced and restores its state.',
    event: 'Normal',
  },
  Replaying: {
    means:
      'The job is being replaced by one that cannot use its state: the boards are recomputed from the kept events.',
    event: 'Normal',
  },
  Restarting: { means: 'A job that was healthy is being restarted.', event: 'Warning' },
  Failed: { means: 'The job failed, and there is no earlier revision to go back to.', event: 'Warning' },
  RolledBack: {
    means: 'A new revision of the job did not come up; the last good one runs until the spec changes.',
    event: 'Warning',
  },

  FieldManagerConflict: {
    means: 'Another field manager changed a field that the operator owns; the operator set it back.',
    event: 'Warning',
  },
} as const satisfies Record<string, Documentation>;

export type Reason = keyof typeof REASONS;

/** How a reason is documented. */
export function documentation(reason: Reason): Documentation {
  return REASONS[reason];
}
