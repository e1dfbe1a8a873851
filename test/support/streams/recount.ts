import type { Leaderboard, SeasonBoard, StreakBoard } from '../../../api/leaderboard.ts';
import type { Row } from '../oracle.ts';
import type { Play } from '../streams.ts';

/*
 * The boards once more, by another road than the oracle's, so that each proves the other: from the events as they were made
 * rather than as they were written, one by one into exact tallies, with each rank found by counting the rivals ahead.
 */

/** Every row a board should hold in the end; of a board of instants, of every instant up to `until`. In no order. */
export function recount(board: Leaderboard, plays: Play[], maxLateness: number, until: number): Row[] {
  switch (board.type) {
    case 'HotStreakers':
      return streakRows(board, plays, maxLateness, until);
    case 'Query':
      throw new Error('what a Query board should hold, its test says');
    default:
      return seasonRows(board, plays);
  }
}

interface Tally {
  total: bigint;
  name: string | null;
}

/** What a season knows of its players, its teams, and its teams' players. */
interface Season {
  players: Map<string, Tally>;
  teams: Map<string, Tally>;
  members: Map<string, Map<string, Tally>>;
}

function seasonRows(board: SeasonBoard, plays: Play[]): Row[] {
  const seasons = new Map<number, Season>();
  for (const play of plays) {
    const start = board.seasonMillis ? Math.floor(play.time / board.seasonMillis) * board.seasonMillis : 0;
    const season = entry(seasons, start, () => ({
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
  return [...seasons].flatMap(([season_start, season]) =>
    ROWS[board.type](season)
      .filter(({ rnk }) => Number(rnk) <= board.size)
      .map((row) => ({ season_start, ...row })),
  );
}

const ROWS = { TopTeams: teamRows, TopPlayers: playerRows, TeamMvps: mvpRows };

function entry<K, V>(map: Map<K, V>, key: K, first: () => V): V {
  const value = map.get(key) ?? first();
  map.set(key, value);
  return value;
}

function count(tallies: Map<string, Tally>, id: string, { score, teamName }: Play): void {
  const tally = entry(tallies, id, () => ({ total: 0n, name: null }));
  tally.total += BigInt(score);
  if (teamName !== null && (tally.name === null || isBefore(tally.name, teamName))) tally.name = teamName;
}

function teamRows({ teams }: Season): Row[] {
  return [...teams].map(([team_id, { total, name }]) => ({
    rnk: rankByTotal(teams, team_id),
    team_id,
    team_name: name,
    total_score: Number(total),
  }));
}

function playerRows({ players }: Season): Row[] {
  return [...players].map(([user_id, { total, name }]) => ({
    rnk: rankByTotal(players, user_id),
    user_id,
    team_name: name,
    total_score: Number(total),
  }));
}

function rankByTotal(tallies: Map<string, Tally>, id: string): number {
  const { total } = tallies.get(id)!;
  const ahead = [...tallies].filter(
    ([rival, tally]) => tally.total > total || (tally.total === total && isBefore(rival, id)),
  );
  return 1 + ahead.length;
}

function mvpRows({ teams, members }: Season): Row[] {
  const mvps = [...teams].map(([team_id, team]) => {
    const players = members.get(team_id)!;
    const [user_id, best] = [...players].find(([id]) => rankByTotal(players, id) === 1)!;
    const share = team.total > 0n ? Number(best.total) / Number(team.total) : 0;
    return { team_id, user_id, name: team.name, best: best.total, total: team.total, share };
  });
  return mvps.map((mvp) => {
    const ahead = mvps.filter(
      (rival) =>
        rival.share > mvp.share ||
        (rival.share === mvp.share &&
          (rival.best > mvp.best || (rival.best === mvp.best && isBefore(rival.team_id, mvp.team_id)))),
    );
    return {
      rnk: 1 + ahead.length,
      user_id: mvp.user_id,
      team_id: mvp.team_id,
      team_name: mvp.name,
      player_total: Number(mvp.best),
      team_total: Number(mvp.total),
      contrib_ratio: mvp.share,
    };
  });
}

/** How hot a player was at an instant, and what it was made of. */
interface Heat {
  short: number;
  long: number;
  hotness: number;
  name: string | null;
}

/** Instant by instant, as a clock would go through them, keeping of the past what the board remembers. */
function streakRows(board: StreakBoard, plays: Play[], maxLateness: number, until: number): Row[] {
  const timely = plays
    .map((play) => ({ ...play, time: Math.min(play.time, play.producedAt) }))
    .filter(({ time, producedAt }) => producedAt - time < maxLateness);
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

function heats(board: StreakBoard, plays: Play[], instant: number): Map<string, Heat> {
  const recent = plays.filter(({ time }) => time < instant && time >= instant - board.longWindowMillis);
  const users = new Set(recent.map(({ user }) => user));
  const found = new Map<string, Heat>();
  for (const user of users) {
    const long = recent.filter((play) => play.user === user);
    const short = long.filter(({ time }) => time >= instant - board.shortWindowMillis);
    if (short.length === 0 || sum(long) === 0) continue;
    const averages = { short: sum(short) / short.length, long: sum(long) / long.length };
    const name = lastInOrder(short.map(({ teamName }) => teamName));
    found.set(user, { ...averages, hotness: averages.short / averages.long, name });
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
  return [...peaks].map(([user_id, { short, long, hotness, name }]) => ({
    as_of: instant,
    rnk: 1 + [...peaks].filter(([rival, heat]) => isHotter(rival, heat, user_id, hotness)).length,
    user_id,
    team_name: name,
    short_term_avg: short,
    long_term_avg: long,
    peak_hotness: hotness,
  }));
}

function isHotter(rival: string, heat: Heat, user: string, hotness: number): boolean {
  return heat.hotness > hotness || (heat.hotness === hotness && isBefore(rival, user));
}

function lastInOrder(names: (string | null)[]): string | null {
  const known = names.filter((name) => name !== null);
  return known.find((name) => !known.some((other) => isBefore(name, other))) ?? null;
}

/** By code point, which is also the order of the bytes of UTF-8. */
function isBefore(a: string, b: string): boolean {
  const [left, right] = [[...a], [...b]];
  const differing = left.findIndex((character, i) => character !== right[i]);
  if (differing === -1) return left.length < right.length;
  return differing < right.length && left[differing]!.codePointAt(0)! < right[differing]!.codePointAt(0)!;
}
