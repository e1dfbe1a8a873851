import { z } from 'zod';
import { boardDefinitions, topicName } from '../contract/board.ts';
import { BASE_PATH, PROBE_PATHS } from '../contract/http.ts';

/** What a core can serve twice a second, with room for worse days; see docs/benchmarks.md. */
export const DEFAULT_MAX_SOCKETS = 5000;

/** The dashboard's configuration, checked. */
export interface Settings extends z.infer<typeof schema> {}

/** The environment is wrong; `problems` says how, one line each, with the variable and the path in it. */
export class SettingsError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export const HELP = `The dashboard: leaderboards from compacted Kafka topics, live in browsers.

Usage: node --disable-warning=TimeoutNegativeWarning dashboard/main.ts

Settings come from the environment:
  KAFKA_BOOTSTRAP_SERVERS  host:port of Kafka brokers, separated by commas (required)
  KAFKA_CA_FOLDER          folder with the certificates that sign for the brokers, ca.crt (default: a connection without TLS)
  KAFKA_USER_FOLDER        folder with what to sign in to Kafka with: password, or user.crt and user.key
  KAFKA_USERNAME           whose the password is (default: the certificate says who it is)
  DASHBOARD_BOARDS         the boards to show, a JSON array (required)
  STATS_TOPIC              the topic of the pipeline's own counts (required)
  EVENTS_TOPIC             the topic of the events, which is asked for offsets and not read (required)
  JOB_ADVICE               what to do when events arrive and the job counts none, for the page to say (default: nothing)
  REPLAY_ADVICE            how to have the job count all events from the start again, for the page to say when the events topic is another
                           one (default: nothing)
  DASHBOARD_TITLE          the page's title (default: Game Analytics)
  HOST                     the address to listen on, :: for all of IPv6 and IPv4 (default: 127.0.0.1)
  PORT                     the port to listen on, 0 for any free one (default: 8080)
  BASE_PATH                path under which all but ${PROBE_PATHS.alive}, ${PROBE_PATHS.ready} and ${PROBE_PATHS.metrics} is served, as /games/arcade (default: /)
  SIGN_IN_FOLDER           folder with the credentials to ask for, one a file: token, or username and password (default: ask for none)
  MAX_SOCKETS              how many browsers may be live at once (default: ${DEFAULT_MAX_SOCKETS})
  TRUSTED_PROXIES          addresses and networks of proxies whose X-Forwarded-For, -Host and -Proto are believed, separated by commas (default: none)
  ALLOWED_ORIGINS          other origins whose pages may open the WebSocket, as https://games.example, separated by
                           commas: for a proxy that rewrites Host and says nothing of it (default: none)
  LOG_LEVEL                fatal, error, warn, info, debug, trace or silent (default: info)
`;

const boardsJson = z.string('is required: the boards to show, a JSON array').transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    context.addIssue({ code: 'custom', message: `must be JSON: ${(error as Error).message}` });
    return z.NEVER;
  }
});

const bootstrapServers = z
  .string('is required: host:port of Kafka brokers, separated by commas')
  .transform((text) => text.split(',').map((server) => server.trim()))
  .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'must be host:port')));

/** Without the slash at its end; the root is empty. */
const basePath = z
  .string()
  .default('')
  .transform((text) => text.replace(/\/$/, ''))
  .refine(
    (path) => path === '' || BASE_PATH.test(path),
    'must be a path of letters, digits, - . _ and ~, such as /games/arcade',
  )
  .refine((path) => !Object.values<string>(PROBE_PATHS).includes(path), 'is the path of a probe');

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((one) => one.trim() || []));

const trustedProxies = list.pipe(
  z.array(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an address, or a network as 10.0.0.0/8'),
  ),
);

const allowedOrigins = list.pipe(
  z.array(
    z
      .string()
      .refine((text) => /^https?:/.test(text) && URL.parse(text)?.origin === text.toLowerCase(), {
        error: 'must be an origin, such as https://games.example',
      })
      .transform((text) => text.toLowerCase()),
  ),
);

const schema = z.object({
  KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
  KAFKA_CA_FOLDER: z.string().optional(),
  KAFKA_USER_FOLDER: z.string().optional(),
  KAFKA_USERNAME: z.string().optional(),
  DASHBOARD_BOARDS: boardsJson.pipe(boardDefinitions),
  STATS_TOPIC: z.string("is required: the topic of the pipeline's own counts").pipe(topicName),
  EVENTS_TOPIC: z.string('is required: the topic of the events').pipe(topicName),
  JOB_ADVICE: z.string().max(300).default(''),
  REPLAY_ADVICE: z.string().max(300).default(''),
  DASHBOARD_TITLE: z.string().max(120).default('Game Analytics'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .default('8080')
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65535, 'must be a port: 0 to 65535')
    .transform(Number),
  BASE_PATH: basePath,
  SIGN_IN_FOLDER: z.string().optional(),
  MAX_SOCKETS: z
    .string()
    .default(String(DEFAULT_MAX_SOCKETS))
    .refine((text) => /^[1-9]\d{0,5}$/.test(text), 'must be a number from 1 to 999999')
    .transform(Number),
  TRUSTED_PROXIES: trustedProxies,
  ALLOWED_ORIGINS: allowedOrigins,
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/**
 * Reads the settings from environment variables; an empty variable counts as not set.
 *
 * @throws SettingsError with every problem at once
 */
export function parseSettings(env: Record<string, string | undefined>): Settings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw new SettingsError(result.error.issues.map((issue) => `${printPath(issue.path)}: ${issue.message}`));
}

/** `DASHBOARD_BOARDS[0].columns[2].type` */
function printPath(path: PropertyKey[]): string {
  return path.map((step, index) => printStep(step, index === 0)).join('');
}

function printStep(step: PropertyKey, first: boolean): string {
  if (typeof step === 'number') return `[${step}]`;
  return first ? String(step) : `.${String(step)}`;
}
