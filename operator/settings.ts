import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DURATION_PATTERN, millis } from '../api/duration.ts';
import { OPERATOR } from '../plan/metadata.ts';

/** The process's flags and environment. */
export interface Settings extends Omit<z.output<typeof schema>, 'upgradeTimeout'> {
  identity: string;
  upgradeTimeoutMillis: number;
}

export type ParsedSettings = { readonly settings: Settings } | { readonly problems: readonly string[] };

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const IMAGE = /^\S+$/;
const IMAGES = /^[^\s,]+(,[^\s,]+)*$/;

/** Each is a flag and a variable: watchNamespace is --watch-namespace and WATCH_NAMESPACE. */
const schema = z.object({
  watchNamespace: text('the name of a namespace', NAMESPACE)
    .optional()
    .meta({ description: 'the namespace whose resources are looked after; unset, all of them' }),
  appImage: text('an image', IMAGE).meta({ description: 'what runs as injector and dashboard' }),
  flinkImage: text('an image', IMAGE).meta({
    description: 'what runs as Flink, where a resource names none',
  }),
  allowedFlinkImages: text('images, separated by commas', IMAGES)
    .transform((images) => images.split(','))
    .optional()
    .meta({
      description:
        'images that resources may name for Flink: one that ends with /, : or @ allows all that begin so; unset, any',
    }),
  flinkOperatorNamespace: text('the name of a namespace', NAMESPACE).optional().meta({
    description:
      'where the Flink Kubernetes Operator is, from which alone it may then reach jobs; unset, from any',
  }),
  leaseNamespace: text('the name of a namespace', NAMESPACE).meta({
    description: 'where the Lease is: of several operators its holder works, the others stand by',
  }),
  leaseName: text('the name of an object', OBJECT_NAME).default(OPERATOR).meta({ description: 'its name' }),
  identity: text('a name of this process alone, in ASCII', /^[ -~]+$/)
    .optional()
    .meta({ description: 'who this process is in the Lease; unset, its host and something random' }),
  host: text('an address to listen on')
    .default('::')
    .meta({ description: 'where probes and metrics are served; :: is all addresses of IPv6 and of IPv4' }),
  port: integer(0, 65_535).default(8080).meta({ description: 'its port; 0 takes a free one' }),
  workers: integer(1, 100).default(4).meta({ description: 'how many resources are worked on at a time' }),
  upgradeTimeout: duration('1s', '1d').default('5m').meta({
    description: 'how long a changed Flink job may take to run well before it is put back',
  }),
  logLevel: z
    .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
    .default('info')
    .meta({ description: 'the least important lines to log' }),
});

const NAMES = Object.keys(schema.shape);

/**
 * Reads the settings, or says all that is wrong with them: one line per problem, with the flag or variable
 * and what is allowed. A flag goes before its variable. An empty one is unset.
 *
 * @param identity who the process is when it is not told
 */
export function parseSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  identity: string,
): ParsedSettings {
  const flags = parseFlags(args);
  if ('problem' in flags) return { problems: [flags.problem] };
  const given = (name: string) => flags.values[flagOf(name)] ?? env[variableOf(name)];
  const set = Object.fromEntries(NAMES.map((name) => [name, given(name)]).filter(([, value]) => value));
  const result = schema.safeParse(set);
  if (result.success) {
    const { upgradeTimeout, ...rest } = result.data;
    const upgradeTimeoutMillis = millis(upgradeTimeout);
    return { settings: { ...rest, identity: rest.identity ?? identity, upgradeTimeoutMillis } };
  }
  const problems = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    if (!set[name]) return `--${flagOf(name)} or ${variableOf(name)}: set it to ${message}`;
    const source = flagOf(name) in flags.values ? `--${flagOf(name)}` : variableOf(name);
    return `${source}: must be ${message}, not "${set[name]}"`;
  });
  // One value can break two rules with the same message.
  return { problems: [...new Set(problems)] };
}

/** The text of `--help`: every flag and its variable, what it is, what is allowed. */
export function help(): string {
  return [
    'Looks after the GameAnalytics resources of a Kubernetes cluster.',
    '',
    'Usage: node operator/main.ts [flags]',
    '',
    'Each setting is a flag or a variable of the environment; the flag goes first.',
    ...Object.entries(schema.shape).flatMap(([name, field]) => [
      `  --${flagOf(name)}, ${variableOf(name)}`,
      `      ${field.description}; ${allowedFor(field)} (${fallbackOf(field)})`,
    ]),
    '',
    'The cluster is found as kubectl finds it: KUBECONFIG, then ~/.kube/config, then the cluster it runs in.',
    'Exit codes: 0 stopped as told, 1 failed or lost the Lease, 2 wrong settings or no usable kubeconfig.',
    '',
  ].join('\n');
}

function parseFlags(args: readonly string[]) {
  const options = Object.fromEntries(NAMES.map((name) => [flagOf(name), { type: 'string' as const }]));
  try {
    return { values: parseArgs({ args: [...args], options }).values };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(name: string): string {
  return flagOf(name).replaceAll('-', '_').toUpperCase();
}

/** Every rule of a setting says the same: what is allowed. */
function allowedFor(field: z.ZodType): string {
  return field.safeParse({}).error?.issues[0]?.message ?? 'anything';
}

function fallbackOf(field: z.ZodType): string {
  if (field instanceof z.ZodDefault) return `default: ${field.def.defaultValue}`;
  return field instanceof z.ZodOptional ? 'optional' : 'required';
}

function text(allowed: string, pattern = /./) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

function integer(min: number, max: number) {
  const error = `an integer from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

function duration(least: string, most: string) {
  const error = `a duration from ${least} to ${most}, such as 90s or 5m`;
  const fits = (length: number) => length >= millis(least) && length <= millis(most);
  return z
    .string({ error })
    .refine((value) => DURATION_PATTERN.test(value) && fits(millis(value)), { error });
}
