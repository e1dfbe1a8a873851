import { z } from 'zod';

/** The process's environment. */
export type Settings = z.output<typeof schema>;
export type ParsedSettings = { readonly settings: Settings } | { readonly problems: readonly string[] };

const BROKERS = /^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/;
/** Kafka's own rule for names of topics. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const schema = z
  .object({
    KAFKA_BOOTSTRAP_SERVERS: text('host:port, or several with commas between', BROKERS).meta({
      description: 'where to find Kafka',
    }),
    KAFKA_CA_FOLDER: text('a folder with ca.crt')
      .optional()
      .meta({ description: 'the certificates that sign for the brokers; unset, a connection without TLS' }),
    KAFKA_USER_FOLDER: text('a folder with password, or with user.crt and user.key')
      .optional()
      .meta({ description: 'what to sign in with, as the Secret of a KafkaUser' }),
    KAFKA_USERNAME: text('the name of a user')
      .optional()
      .meta({ description: 'whose the password is; unset, the certificate says who it is' }),
    EVENTS_TOPIC: text('the name of a topic: up to 249 letters, digits, dots, _ and -', TOPIC).meta({
      description: 'where to write, never created here',
    }),
    EVENTS_PER_SECOND: number(0.1, 50_000).meta({ description: 'events of all players together' }),
    LIVE_TEAMS: integer(1, 10_000).meta({ description: 'teams that play at any time' }),
    MEMBERS_MIN: integer(1, 100).meta({ description: 'people in the smallest team' }),
    MEMBERS_MAX: integer(1, 100).meta({ description: 'people in the largest team' }),
    MAX_SCORE: integer(0, 1_000_000).meta({ description: 'the highest score of one event' }),
    ROBOT_PROBABILITY: number(0, 1).meta({ description: 'the chance that a new team has a robot' }),
    LATE_SHARE: number(0, 1).meta({ description: 'the share of events that arrive late' }),
    LATE_MIN_MILLIS: integer(0, 86_400_000)
      .default(300_000)
      .meta({ description: 'the least a late event is late' }),
    LATE_MAX_MILLIS: integer(0, 86_400_000)
      .default(600_000)
      .meta({ description: 'the most a late event is late' }),
    SEED: integer(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'plays the same game again; unset, a new one' }),
    HOST: text('an address to listen on')
      .default('127.0.0.1')
      .meta({ description: 'where probes and metrics are served; :: for all addresses of IPv6 and IPv4' }),
    PORT: integer(0, 65_535).default(8081).meta({ description: 'its port; 0 takes a free one' }),
    LOG_LEVEL: z
      .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
      .default('info')
      .meta({ description: 'the least important lines to log' }),
  })
  .refine(
    ({ MEMBERS_MIN, MEMBERS_MAX }) => !(MEMBERS_MIN > MEMBERS_MAX),
    notAbove('MEMBERS_MIN', 'MEMBERS_MAX'),
  )
  .refine(
    ({ LATE_MIN_MILLIS, LATE_MAX_MILLIS }) => !(LATE_MIN_MILLIS > LATE_MAX_MILLIS),
    notAbove('LATE_MIN_MILLIS', 'LATE_MAX_MILLIS'),
  );

/**
 * Reads the settings, or says all that is wrong with them: one line per problem, with the variable's name and
 * what is allowed.
 */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): ParsedSettings {
  // An empty variable is how a manifest says "unset".
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(set);
  if (result.success) return { settings: result.data };
  const problems = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${name}: must be ${message}${name in set ? `, not "${set[name]}"` : '; it is not set'}`;
  });
  // One value can break two rules of the same range, with the same message.
  return { problems: [...new Set(problems)] };
}

/** The text of `--help`: every variable, what it is, what is allowed. */
export function help(): string {
  const lines = Object.entries(schema.shape).map(([name, field]) => {
    const fallback = field instanceof z.ZodDefault ? ` (default ${field.def.defaultValue})` : '';
    return `  ${name.padEnd(24)} ${field.description}; ${allowedFor(field)}${fallback}`;
  });
  return [
    'Plays a simulated game and writes its events to Kafka. Settings come from the environment:',
    ...lines,
    '',
  ].join('\n');
}

/** Every rule of a variable says the same: what is allowed. */
function allowedFor(field: z.ZodType): string {
  return field.safeParse({}).error?.issues[0]?.message ?? 'anything';
}

function text(allowed: string, pattern = /./) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.coerce.number({ error }).min(min, { error }).max(max, { error });
}

function integer(min: number, max: number) {
  const error = `an integer from ${min} to ${max}`;
  // Not int(): zod skips the rules between variables after it fails.
  return z.coerce.number({ error }).multipleOf(1, { error }).min(min, { error }).max(max, { error });
}

/**
 * The report of a rule between two variables. It is checked even when others are wrong: all problems are
 * reported at once.
 */
function notAbove(smaller: string, larger: string) {
  return { path: [smaller], error: `at most ${larger}`, when: () => true };
}
