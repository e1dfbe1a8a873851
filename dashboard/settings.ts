import { z } from 'zod';
import { boardDefinitions } from '../contract/board.ts';
import { BASE_PATH, PROBE_PATHS } from '../contract/http.ts';
import { KAFKA_VARIABLES, topic } from '../kafka/settings.ts';
import {
  describeFields,
  host,
  integer,
  json,
  list,
  logLevel,
  type Parsed,
  parseEnvironment,
  port,
  text,
} from '../lib/settings.ts';

/** What a core can serve twice a second, with room for worse days; see docs/benchmarks.md. */
export const DEFAULT_MAX_SOCKETS = 5000;

const PATH = 'a path of letters, digits, - . _ and ~ that is no probe’s, such as /games/arcade';
/** Without the slash at its end; the root is empty. */
const basePath = z
  .string({ error: PATH })
  .default('')
  .transform((path) => path.replace(/\/$/, ''))
  .refine((path) => path === '' || BASE_PATH.test(path), { error: PATH })
  .refine((path) => !Object.values<string>(PROBE_PATHS).includes(path), { error: PATH });

const NETWORK = 'must be an address, or a network as 10.0.0.0/8';
const GROUPS = 'names of consumer groups, separated by commas';
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], NETWORK);

const origin = z
  .string()
  .refine((url) => /^https?:/.test(url) && URL.parse(url)?.origin === url.toLowerCase(), {
    error: 'must be an origin, such as https://games.example',
  })
  .transform((url) => url.toLowerCase());

const advice = z.string({ error: 'a sentence' }).max(300, { error: 'at most 300 characters' }).default('');

/** The dashboard's configuration, checked. */
export type Settings = z.output<typeof schema>;

const schema = z.object({
  ...KAFKA_VARIABLES,
  DASHBOARD_BOARDS: json('a JSON array of boards')
    .pipe(boardDefinitions)
    .meta({ description: 'the boards to show' }),
  STATS_TOPIC: topic('the topic of the pipeline’s counters'),
  EVENTS_TOPIC: topic('the topic of the events, which is asked for offsets and not read'),
  JOB_GROUPS: list(GROUPS, z.string())
    .refine((groups) => groups.length > 0, { error: GROUPS })
    .meta({ description: 'the consumer groups in which the job reads what it counts' }),
  PLAYERS_TOPIC: topic('the topic of players that are hidden; unset, nobody is').optional(),
  PLAYERS_SIGN_IN_FOLDER: text('a folder with token')
    .optional()
    .meta({ description: 'with what programs may hide and show players; unset, none may' }),
  JOB_ADVICE: advice.meta({ description: 'what the page says to do when the job counts no events' }),
  REPLAY_ADVICE: advice.meta({
    description: 'what the page says to do to count all events again when their topic is another one',
  }),
  DASHBOARD_TITLE: z
    .string({ error: 'a title' })
    .max(120, { error: 'at most 120 characters' })
    .default('Game Analytics')
    .meta({ description: 'title of the page' }),
  HOST: host.default('127.0.0.1'),
  PORT: port.default(8080).meta({ description: 'port of the page; 0 takes a free one' }),
  BASE_PATH: basePath.meta({
    description: `path under which all but ${Object.values(PROBE_PATHS).join(', ')} is served`,
  }),
  SIGN_IN_FOLDER: text('a folder with token, or with username and password')
    .optional()
    .meta({ description: 'what clients must sign in with; unset, none need to' }),
  MAX_SOCKETS: integer(1, 999_999)
    .default(DEFAULT_MAX_SOCKETS)
    .meta({ description: 'how many browsers may be live at once' }),
  TRUSTED_PROXIES: list('addresses and networks, separated by commas', network).meta({
    description: 'proxies whose X-Forwarded-For, -Host and -Proto are believed',
  }),
  ALLOWED_ORIGINS: list('origins such as https://games.example, separated by commas', origin).meta({
    description: 'other sites whose pages may open the WebSocket, for a proxy that rewrites Host',
  }),
  LOG_LEVEL: logLevel,
});

/** Reads the settings from variables; an empty one is unset. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings> {
  return parseEnvironment(schema, env);
}

export const HELP = `The dashboard: leaderboards from compacted Kafka topics, live in browsers.

Usage: node --disable-warning=TimeoutNegativeWarning dashboard/main.ts

Settings come from the environment:
${describeFields(schema)}
`;
