import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DURATION_PATTERN, millis } from '../api/duration.ts';
import {
  describeFields,
  host,
  integer,
  logLevel,
  type Parsed,
  parseFields,
  port,
  text,
} from '../lib/settings.ts';
import { OPERATOR } from '../plan/metadata.ts';

/** The process's flags and environment. */
export interface Settings extends Omit<z.output<typeof schema>, 'upgradeTimeout'> {
  identity: string;
  upgradeTimeoutMillis: number;
}

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
  host: host.default('::'),
  port: port.default(8080).meta({ description: 'port of probes and metrics; 0 takes a free one' }),
  workers: integer(1, 100).default(4).meta({ description: 'how many resources are worked on at a time' }),
  upgradeTimeout: duration('1s', '1d').default('5m').meta({
    description: 'how long a changed Flink job may take to run well before it is put back',
  }),
  logLevel,
});

/**
 * Reads the settings, or says everything that is wrong with them. A flag goes before its variable. An empty
 * one is unset.
 *
 * @param identity who the process is when no setting says so
 */
export function parseSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  identity: string,
): Parsed<Settings> {
  const flags = parseFlags(args);
  if ('problem' in flags) return { problems: [flags.problem] };
  const parsed = parseFields(schema, (key) => {
    const [flag, variable] = [toFlag(key), toVariable(key)];
    if (flag in flags.values) return { name: `--${flag}`, value: flags.values[flag] };
    return { name: env[variable] ? variable : describeSource(key), value: env[variable] };
  });
  if ('problems' in parsed) return parsed;
  const { upgradeTimeout, ...rest } = parsed.settings;
  const upgradeTimeoutMillis = millis(upgradeTimeout);
  return { settings: { ...rest, identity: rest.identity ?? identity, upgradeTimeoutMillis } };
}

/** The text of `--help`: every flag and its variable, what it is, what is allowed. */
export const HELP = `Looks after the GameAnalytics resources of a Kubernetes cluster.

Usage: node operator/main.ts [flags]

Each setting is a flag or a variable of the environment; the flag goes first.
${describeFields(schema, describeSource)}

The cluster is found as kubectl finds it: KUBECONFIG, then ~/.kube/config, then the cluster it runs in.
Exit codes: 0 stopped as told, 1 failed or lost the Lease, 2 wrong settings or no usable kubeconfig.
`;

function parseFlags(args: readonly string[]) {
  const options = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [toFlag(name), { type: 'string' as const }]),
  );
  try {
    return { values: parseArgs({ args: [...args], options }).values };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function toFlag(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function toVariable(name: string): string {
  return toFlag(name).replaceAll('-', '_').toUpperCase();
}

function describeSource(name: string): string {
  return `--${toFlag(name)}, ${toVariable(name)}`;
}

function duration(least: string, most: string) {
  const error = `a duration from ${least} to ${most}, such as 90s or 5m`;
  const fits = (length: number) => length >= millis(least) && length <= millis(most);
  return z
    .string({ error })
    .refine((value) => DURATION_PATTERN.test(value) && fits(millis(value)), { error });
}
