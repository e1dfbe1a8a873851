import type { HotStreakersBoard, Leaderboard } from '../../api/boards/types.ts';
import { seasonStart } from '../../contract/calendar.ts';
import type { Counting, Row, SeasonBoard } from '../oracle/oracle.ts';
import type { Play } from './streams.ts';

/*
 * The boards once more, by another road than the oracle's, so that each proves the other: from the events as
 * they were made rather than as they were written, one by one into exact tallies, with each rank found by
 * counting the rivals ahead.
 */

/**
 * Every row a board should hold in the end; of a board of instants, of every instant up to `until`. In no
 * order.
 */
export function recount(
  board: Leaderboard,
  plays: Play[],
  { maxLateness, latestArrival, corrections = false }: Counting,
  until: number,
  pointsOf?: (play: Play) => number | null,
): Row[] {
  switch (board.type) {
    case 'HotStreakers':
      return streakRows(board, plays, maxLateness, until);
    case 'Query':
      throw new Error('what a Query board should hold, its test says');
    default:
      return seasonRows(board, pointsOf ? scored(board, plays, pointsOf, corrections) : plays, latestArrival);
  }
}

/** The plays that count by what is scored of them. */
function scored(
  board: SeasonBoard,
  plays: Play[],
  pointsOf: (play: Play) => number | null,
  corrections: boolean,
): Play[] {
  const least = ('score' in board && board.score) || corrections ? Number.MIN_SAFE_INTEGER : 0;
  return plays
    .map((play) => ({ ...play, score: pointsOf(play) ?? Number.NaN }))
    .filter(({ score }) => score >= least && score <= Number.MAX_SAFE_INTEGER);
}

interface Tally {
  total: bigint;
  best: bigint;
  lowest: bigint;
  latest: bigint;
  latestAt: number;
  /** When each score was reached. */
  reached: Record<'Sum' | 'Best' | 'Lowest' | 'Count', number>;
  events: number;
  name: string | null;
  nameAt: number;
  lastEventAt: number;
}

/** What a season knows of its players, its teams, and its teams' players. */
interface Season {
  players: Map<string, Tally>;
  teams: Map<string, Tally>;
  members: Map<string, Map<string, Tally>>;
}

function seasonRows(board: SeasonBoard, plays: Play[], latestArrival: number | undefined): Row[] {
  const seasons = new Map<string, Season>();
  for (const play of plays) {
    const value = pickValue(board, play);
    if (value === null || value === '' || isFrozen(board, play, latestArrival)) continue;
    const key = JSON.stringify({ season_start: startOfSeason(board, play.time), value });
    const season = entry(seasons, key, () => ({
      players: new Map(),
      teams: new Map(),
      members: new Map(),
    }));
    count(season.players, play.user, play);
    count(season.teams, play.team, play);
    count(
      entry(season.members, play.team, () => new Map<string, Tally>()),
      play.user,
      play,
    );
  }
  return [...seasons].flatMap(([key, season]) =>
    ROWS[board.type](season, board)
      .filter(({ rnk }) => Number(rnk) <= board.size)
      .map((row) => ({ ...JSON.parse(key), ...row })),
  );
}

/** Undefined on boards without values; a text that is empty is none. */
function pickValue(board: SeasonBoard, play: Play): string | null | undefined {
  switch ('by' in board ? board.by : undefined) {
    case undefined:
      return undefined;
    case 'team_name':
      return play.teamName;
    case 'team_id':
      return play.team;
    case 'score':
      return `${play.score}`;
    default:
      throw new Error('plays have no such column');
  }
}

function startOfSeason({ calendar, seasonMillis }: SeasonBoard, time: number): number {
  if (calendar) return seasonStart(calendar, time);
  return seasonMillis ? Math.floor(time / seasonMillis) * seasonMillis : 0;
}

/** Whether the season of a play had ended long before Kafka got it: it was another one's time already. */
function isFrozen(
  board: SeasonBoard,
  { time, producedAt }: Play,
  latestArrival: number | undefined,
): boolean {
  if (latestArrival === undefined) return false;
  return startOfSeason(board, producedAt - latestArrival) > startOfSeason(board, time);
}

const ROWS = { TopTeams: teamRows, TopPlayers: playerRows, TeamMvps: mvpRows };

function entry<K, V>(map: Map<K, V>, key: K, first: () => V): V {
  const value = map.get(key) ?? first();
  map.set(key, value);
  return value;
}

function count(tallies: Map<string, Tally>, id: string, { score, teamName, time, producedAt }: Play): void {
  const points = BigInt(score);
  const at = Math.min(time, producedAt);
  const tally = entry<string, Tally>(tallies, id, () => ({
    total: 0n,
    best: points,
    lowest: points,
    latest: points,
    latestAt: at,
    reached: { Sum: at, Best: at, Lowest: at, Count: at },
    events: 0,
    name: null,
    nameAt: 0,
    lastEventAt: 0,
  }));
  const isNewer =
    tally.name === null || at > tally.nameAt || (at === tally.nameAt && isBefore(tally.name, teamName ?? ''));
  if (teamName !== null && isNewer) Object.assign(tally, { name: teamName, nameAt: at });
  const { reached } = tally;
  // A total of nothing is reached by the first event, and lost for it by the first points.
  if (points > 0n) reached.Sum = tally.total > 0n ? Math.max(reached.Sum, at) : at;
  else if (tally.total === 0n) reached.Sum = Math.min(reached.Sum, at);
  reached.Count = Math.max(reached.Count, at);
  if (points >= tally.best) reached.Best = points > tally.best ? at : Math.min(reached.Best, at);
  if (points <= tally.lowest) reached.Lowest = points < tally.lowest ? at : Math.min(reached.Lowest, at);
  if (points > tally.best) tally.best = points;
  if (points < tally.lowest) tally.lowest = points;
  if (at > tally.latestAt || (at === tally.latestAt && points > tally.latest)) {
    Object.assign(tally, { latest: points, latestAt: at });
  }
  tally.total += points;
  tally.events += 1;
  tally.lastEventAt = Math.max(tally.lastEventAt, producedAt);
}

function teamRows({ teams }: Season, board: SeasonBoard): Row[] {
  return [...teams].map(([team_id, tally]) => ({
    rnk: rankByTotal(teams, team_id, totalIn(board), reachedIn(board)),
    team_id,
    ...totalFields(tally, board),
  }));
}

function playerRows({ players }: Season, board: SeasonBoard): Row[] {
  return [...players].map(([user_id, tally]) => ({
    rnk: rankByTotal(players, user_id, totalIn(board), reachedIn(board)),
    user_id,
    ...totalFields(tally, board),
  }));
}

function totalFields(tally: Tally, board: SeasonBoard): Row {
  const sign = isLowestFirst(board) ? -1n : 1n;
  const reached = reachedIn(board)(tally);
  return {
    team_name: tally.name,
    total_score: Number(sign * totalIn(board)(tally)),
    ...(reached !== undefined && { reached_at: reached }),
    last_event_at: tally.lastEventAt,
  };
}

/** What a board ranks by, greater where it is better. */
function totalIn(board: SeasonBoard): (tally: Tally) => bigint {
  const score = ('score' in board && board.score) || 'Sum';
  const totals = {
    Sum: ({ total }: Tally) => total,
    Best: ({ best }: Tally) => best,
    Lowest: ({ lowest }: Tally) => -lowest,
    Latest: ({ latest }: Tally) => latest,
    Count: ({ events }: Tally) => BigInt(events),
  };
  return totals[score];
}

/** When what a board ranks by was reached, where that decides between equal ones. */
function reachedIn(board: SeasonBoard): (tally: Tally) => number | undefined {
  if (!('ties' in board) || board.ties !== 'FirstToReach') return () => undefined;
  const { score = 'Sum' } = board;
  if (score === 'Latest') throw new Error('no board of latest scores is ordered so');
  return ({ reached }) => reached[score];
}

function isLowestFirst(board: SeasonBoard): boolean {
  return 'score' in board && board.score === 'Lowest';
}

function rankByTotal(
  tallies: Map<string, Tally>,
  id: string,
  totalOf: (tally: Tally) => bigint = ({ total }) => total,
  reachedOf: (tally: Tally) => number | undefined = () => undefined,
): number {
  const own = tallies.get(id)!;
  const [total, reached = 0] = [totalOf(own), reachedOf(own)];
  const ahead = [...tallies].filter(([rival, tally]) => {
    if (totalOf(tally) !== total) return totalOf(tally) > total;
    const at = reachedOf(tally) ?? 0;
    return at === reached ? isBefore(rival, id) : at < reached;
  });
  return 1 + ahead.length;
}

function mvpRows({ teams, members }: Season, board: SeasonBoard): Row[] {
  const minimumEvents = 'minimumEvents' in board ? board.minimumEvents : 1;
  const ranked = [...teams].filter(([, { events }]) => events >= minimumEvents);
  const mvps = ranked.map(([team_id, team]) => {
    const players = members.get(team_id)!;
    const [user_id, best] = [...players].find(([id]) => rankByTotal(players, id) === 1)!;
    const part = best.total < team.total ? best.total : team.total;
    const share = team.total > 0n ? Number(part) / Number(team.total) : 0;
    return { team_id, user_id, team, best: best.total, share, steps: BigInt(Math.trunc(share * 2 ** 62)) };
  });
  return mvps.map((mvp) => {
    const ahead = mvps.filter(
      (rival) =>
        rival.steps > mvp.steps ||
        (rival.steps === mvp.steps &&
          (rival.best > mvp.best || (rival.best === mvp.best && isBefore(rival.team_id, mvp.team_id)))),
    );
    return {
      rnk: 1 + ahead.length,
      user_id: mvp.user_id,
      team_id: mvp.team_id,
      team_name: mvp.team.name,
      player_total: Number(mvp.best),
      team_total: Number(mvp.team.total),
      contrib_ratio: mvp.share,
      last_event_at: mvp.team.lastEventAt,
    };
  });
}

/** How hot a player was at an instant, and what it was made of. */
interface Heat {
  short: number;
  long: number;
  hotness: number;
  name: string | null;
  instant: number;
}

/** Instant by instant, as a clock would go through them, keeping of the past what the board remembers. */
function streakRows(board: HotStreakersBoard, plays: Play[], maxLateness: number, until: number): Row[] {
  const timely = plays
    .map((play) => ({ ...play, time: Math.min(play.time, play.producedAt) }))
    .filter(({ time, producedAt, score }) => producedAt - time < maxLateness && score >= 0);
  const memory: Map<string, Heat>[] = [];
  const rows: Row[] = [];
  const first =
    Math.floor(Math.min(...timely.map(({ time }) => time)) / board.everyMillis) * board.everyMillis;
  for (let instant = first; timely.length > 0 && instant <= until; instant += board.everyMillis) {
    memory.push(heats(board, timely, instant));
    if (memory.length > board.memoryMillis / board.everyMillis) memory.shift();
    rows.push(...drawnAt(instant, memory).filter(({ rnk }) => Number(rnk) <= board.size));
  }
  return rows;
}

function heats(board: HotStreakersBoard, plays: Play[], instant: number): Map<string, Heat> {
  const recent = plays.filter(({ time }) => time < instant && time >= instant - board.longWindowMillis);
  const users = new Set(recent.map(({ user }) => user));
  const found = new Map<string, Heat>();
  for (const user of users) {
    const long = recent.filter((play) => play.user === user);
    const short = long.filter(({ time }) => time >= instant - board.shortWindowMillis);
    if (short.length === 0 || sum(long) === 0) continue;
    const averages = { short: sum(short) / short.length, long: sum(long) / long.length };
    const name = newestName(short);
    found.set(user, { ...averages, hotness: averages.short / averages.long, name, instant });
  }
  return found;
}

function sum(plays: Play[]): number {
  return Number(plays.reduce((total, { score }) => total + BigInt(score), 0n));
}

function drawnAt(instant: number, memory: Map<string, Heat>[]): Row[] {
  const peaks = new Map<string, Heat>();
  for (const moment of memory)
    for (const [user, heat] of moment)
      if (heat.hotness >= (peaks.get(user)?.hotness ?? 0)) peaks.set(user, heat);
  return [...peaks].map(([user_id, { short, long, hotness, name, instant: peak_at }]) => ({
    as_of: instant,
    rnk: 1 + [...peaks].filter(([rival, heat]) => isHotter(rival, heat, user_id, hotness)).length,
    user_id,
    team_name: name,
    short_term_avg: short,
    long_term_avg: long,
    peak_hotness: hotness,
    peak_at,
  }));
}

function isHotter(rival: string, heat: Heat, user: string, hotness: number): boolean {
  return heat.hotness > hotness || (heat.hotness === hotness && isBefore(rival, user));
}

function newestName(plays: Play[]): string | null {
  const tallies = new Map<string, Tally>();
  for (const play of plays) count(tallies, 'all', play);
  return tallies.get('all')?.name ?? null;
}

/** By code point, which is also the order of the bytes of UTF-8. */
function isBefore(a: string, b: string): boolean {
  const [left, right] = [[...a], [...b]];
  const differing = left.findIndex((character, i) => character !== right[i]);
  if (differing === -1) return left.length < right.length;
  return differing < right.length && left[differing]!.codePointAt(0)! < right[differing]!.codePointAt(0)!;
}
