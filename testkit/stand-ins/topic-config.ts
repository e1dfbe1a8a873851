const POLICY = ['compact', 'delete'];
const TIMESTAMPS = ['CreateTime', 'LogAppendTime'];
const COMPRESSION = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'];

type Rule = (value: string) => string | undefined;

const long = number(/^-?\d+$/, 'LONG');
const int = number(/^-?\d+$/, 'INT');
const double = number(/^-?\d+(\.\d+)?$/, 'DOUBLE');

/**
 * The settings of a topic that tests may write, and what Kafka says against a value; undefined when it takes
 * it.
 */
const RULES: Record<string, Rule> = {
  'cleanup.policy': (value) =>
    value.split(',').every((policy) => POLICY.includes(policy.trim())) ? undefined : mustBeOneOf(POLICY),
  'compression.type': oneOf(COMPRESSION),
  'max.compaction.lag.ms': long,
  'max.message.bytes': int,
  'message.timestamp.type': oneOf(TIMESTAMPS),
  'min.cleanable.dirty.ratio': double,
  'min.compaction.lag.ms': long,
  'min.insync.replicas': int,
  'retention.bytes': long,
  'retention.ms': long,
  'segment.bytes': int,
  'segment.ms': long,
};

/** What Kafka says against a topic's configuration; undefined when it takes it. */
export function refusedConfig(config: Record<string, unknown> = {}): string | undefined {
  for (const [name, value] of Object.entries(config)) {
    const rule = RULES[name];
    if (!rule) return `Unknown topic config name: ${name}`;
    const reason = rule(String(value));
    if (reason) return `Invalid value ${value} for configuration ${name}: ${reason}`;
  }
  return undefined;
}

function number(form: RegExp, type: string): Rule {
  return (value) => (form.test(value) ? undefined : `Not a number of type ${type}`);
}

function oneOf(values: string[]): Rule {
  return (value) => (values.includes(value) ? undefined : mustBeOneOf(values));
}

function mustBeOneOf(values: string[]): string {
  return `String must be one of: ${values.join(', ')}`;
}
