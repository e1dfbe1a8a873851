const POLICY = ['compact', 'delete'];
const COMPRESSION = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'];

type Rule = (value: string) => string | undefined;

const long = number(/^-?\d+$/, 'LONG');
const int = number(/^-?\d+$/, 'INT');
const double = number(/^-?\d+(\.\d+)?$/, 'DOUBLE');

/** The settings of a topic that tests may write, and what Kafka says against a value; undefined when it takes it. */
const RULES: Record<string, Rule> = {
  'cleanup.policy': (value) =>
    value.split(',').every((policy) => POLICY.includes(policy.trim()))
      ? undefined
      : `String must be one of: ${POLICY.join(', ')}`,
  'compression.type': (value) =>
    COMPRESSION.includes(value) ? undefined : `String must be one of: ${COMPRESSION.join(', ')}`,
  'max.compaction.lag.ms': long,
  'max.message.bytes': int,
  'min.cleanable.dirty.ratio': double,
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
