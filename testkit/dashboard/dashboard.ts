import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { type BoardDefinition, boardDefinitions } from '../../contract/board.ts';
import { REASONS, SLOT_MILLIS } from '../../contract/stats.ts';
import { Board } from '../../dashboard/boards/board.ts';
import { LiveBoard } from '../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../dashboard/events-watch.ts';
import { Stats } from '../../dashboard/stats/stats.ts';
import { TopicState } from '../../dashboard/topic-state.ts';
import { Metrics } from '../../dashboard/web/metrics.ts';
import { createServer, type ServerOptions } from '../../dashboard/web/server.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
import { dashboard } from '../../plan/dashboard.ts';
import type { Deployment } from '../../plan/objects.ts';
import { NO_STATS } from './stats.ts';

/*
 * The dashboard's own server, in the test's process and without Kafka: its boards are fed by hand. For states
 * that a healthy pipeline passes through in a moment, or never comes to.
 */

export interface HandFed {
  url: string;
  boards: LiveBoard[];
  stats: TopicState<Stats>;
  events: EventsWatch;
}

/** Serves the boards of a resource, none of them read yet. The URL is that of the root. */
export async function serveDashboard(
  resource: GameAnalytics,
  cleanup: AsyncDisposableStack,
  options: Pick<ServerOptions, 'basePath' | 'credentials'> = {},
): Promise<HandFed> {
  const boards = definitionsOf(resource).map((definition) => new LiveBoard(definition));
  const stats = new TopicState(new Stats());
  const events = new EventsWatch();
  const app = await createServer({
    title: resource.spec.dashboard.title ?? 'Arcade',
    boards,
    histories: new Map(),
    stats,
    events,
    metrics: new Metrics(boards, Date.now),
    log: pino({ level: 'silent' }),
    now: Date.now,
    ...options,
  });
  cleanup.defer(() => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, boards, stats, events };
}

/** The boards as the plan describes them to the dashboard. */
export function definitionsOf(resource: GameAnalytics): BoardDefinition[] {
  const objects = dashboard(resource, {
    bootstrapServers: 'none:9092',
    appImage: 'app',
    flinkImage: 'flink',
  });
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as Deployment;
  const [container] = deployment.spec.template.spec.containers;
  const json = container?.env?.find(({ name }) => name === 'DASHBOARD_BOARDS')?.value ?? '[]';
  return boardDefinitions.parse(JSON.parse(json));
}

/** A row's fields; which board needs which does not matter. */
export interface Player {
  user_id: string;
  team_name: string;
  score: number;
}

/** Publishes all boards with these players, best first, as of now and of the last season. */
export function fill({ boards, stats }: Pick<HandFed, 'boards' | 'stats'>, players: Player[]): void {
  const now = Date.now();
  for (const live of boards) {
    const board = new Board(live.definition);
    const { period } = live.definition;
    const seasonMillis = period?.kind === 'season' ? (period.lengthMillis ?? now) : now;
    const thisSeason = now - (now % seasonMillis);
    const seasons = period?.kind === 'season' ? [thisSeason - seasonMillis, thisSeason] : [0];
    for (const season_start of seasons) applyPlayers(board, { season_start }, players, now);
    live.publish(board);
  }
  const counted = new Stats();
  for (const slot of slotsUntil(now)) counted.apply(slot, now);
  stats.publish(counted);
}

/** Adds to all boards by value a board of this value, of the season that is open. */
export function fillValue({ boards }: Pick<HandFed, 'boards'>, value: string, players: Player[]): void {
  const now = Date.now();
  for (const { definition, content } of boards) {
    if (!definition.by) continue;
    const { period } = definition;
    const seasonMillis = period?.kind === 'season' ? (period.lengthMillis ?? now) : now;
    applyPlayers(content, { season_start: now - (now % seasonMillis), value }, players, now);
  }
}

function applyPlayers(board: Board, key: object, players: Player[], now: number): void {
  const rows = players.map((player, index) => ({ rnk: index + 1, ...fieldsOf(player, now) }));
  board.apply(record(key, { digest: board.definition.digest, as_of: now, rows }, now), now);
}

/** The examples that the job gives of what is not counted, as long as they can be. */
const EXAMPLES = new Map([
  ['malformed', `{"xxxx_xx":"xxx-${'0'.repeat(60)}","...`],
  ['unknown_schema', 'schema 4242'],
  ['no_user', 'user_id=NULL team_id=xxxx-0 score=12 event_time_millis=1795377600000'],
]);
const EXAMPLE =
  'user_id=xxxxxxxx-xxxx-xx... team_id=xxxxxxxx-xxxx-xx... score=NULL event_time_millis=1795377600';

/** Adds a slot in which there is something of each reason not to count. */
export function spoil({ stats }: HandFed): void {
  const now = Date.now();
  const counts = REASONS.map(({ countColumn }, index) => [countColumn, 3 ** (index + 1)]);
  const examples = REASONS.map(({ id, exampleColumn }) => [exampleColumn, EXAMPLES.get(id) ?? EXAMPLE]);
  const slot = { ...NO_STATS, ...Object.fromEntries([...counts, ...examples]) };
  const crowd = { events: 30_000, uncounted_events: 9837, active_players: 1234, active_teams: 15 };
  const slot_start = now - (now % SLOT_MILLIS) - 2 * SLOT_MILLIS;
  stats.content.apply(record({ slot_start }, { ...slot, ...crowd, newest_event_time: now }, now), now);
}

function fieldsOf({ user_id, team_name, score }: Player, now: number): object {
  return {
    user_id,
    team_id: team_name,
    team_name,
    total_score: score,
    short_term_avg: score / 100,
    long_term_avg: 3,
    peak_hotness: score / 300,
    peak_at: now - 40_000,
    last_event_at: now - 400,
    reached_at: now - 90_000,
    player_total: score,
    team_total: 2000,
    contrib_ratio: score / 2000,
  };
}

/** Five minutes of slots, whose rate goes up and down. */
function slotsUntil(now: number): KafkaRecord[] {
  return Array.from({ length: 62 }, (_, index) => {
    const slot_start = now - (now % SLOT_MILLIS) - SLOT_MILLIS * (61 - index);
    const counts = { ...NO_STATS, late_events: 4, robot_events: 20 };
    const crowd = { active_players: 1234, active_teams: 15, newest_event_time: now - 400 };
    return record(
      { slot_start },
      { ...counts, ...crowd, events: 250 + Math.round(80 * Math.sin(index / 5)) },
      now,
    );
  });
}

function record(key: object, value: object, timestampMillis: number): KafkaRecord {
  const json = (content: object) => Buffer.from(JSON.stringify(content));
  return { key: json(key), value: json({ ...key, ...value }), timestampMillis };
}
