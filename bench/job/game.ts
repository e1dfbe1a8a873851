import { type GameEvent, readableTime } from '../../injector/event.ts';
import { Random } from '../../injector/random.ts';

/** A stretch of a game that is the same whenever it is played with the same numbers. */
export interface Game {
  seed: number;
  players: number;
  /**
   * Of which the first are one of each player: what is kept of all of them is there before it is measured
   * what the rest cost.
   */
  events: number;
}

/** Something a player did. Times are epoch milliseconds. */
export interface Play {
  player: number;
  score: number;
  /** When it happened. */
  time: number;
  /** When it reaches Kafka; these ascend. */
  sent: number;
}

const EVENTS_PER_SECOND = 1_000;
/** Half an hour before a season ends. */
const START = Date.UTC(2026, 0, 1, 12, 30);
const TEAM_SIZE = { min: 5, max: 15 };
const MAX_SCORE = 20;
const LATE = { share: 0.02, minMillis: 300_000, maxMillis: 600_000 };

/**
 * The plays of a game in the order in which they reach Kafka. Once all have played, how often a player plays
 * decreases with its rank: 1, 1/2, 1/3, …
 */
export function* plays({ seed, players, events }: Game): Generator<Play> {
  const random = new Random(seed);
  const everyone = Uint32Array.from({ length: players }, (_, player) => player);
  shuffle(everyone, random);
  const draw = zipf(players, random);
  for (let i = 0; i < events; i++) {
    const sent = START + Math.floor((i * 1000) / EVENTS_PER_SECOND);
    const delay = random.chance(LATE.share) ? random.integer(LATE.minMillis, LATE.maxMillis) : 0;
    yield { player: everyone[i] ?? draw(), score: random.integer(0, MAX_SCORE), time: sent - delay, sent };
  }
}

/** The team of each player; teams have 5 to 15 members, of any strength. */
export function teams({ seed, players }: Game): Uint32Array {
  const random = new Random(seed + 1);
  const teamOf = new Uint32Array(players);
  let left = 0;
  let team = -1;
  for (let i = 0; i < players; i++, left--) {
    if (left === 0) {
      left = random.integer(TEAM_SIZE.min, TEAM_SIZE.max);
      team++;
    }
    teamOf[i] = team;
  }
  shuffle(teamOf, random);
  return teamOf;
}

/** A play as the injector would write it. */
export function eventOf({ player, score, time, sent }: Play, team: number): GameEvent {
  return {
    user_id: `USR-${player}`,
    team_id: `TEAM-${team}`,
    team_name: `The Azure Otters ${team}`,
    score,
    event_time_millis: time,
    readable_time: readableTime(time),
    event_type: time < sent ? 'late' : 'normal',
  };
}

/** Draws ranks from 0 with weights 1/(rank + 1), each in constant time (Vose's alias method). */
function zipf(count: number, random: Random): () => number {
  const total = sum(count, (rank) => 1 / (rank + 1));
  const share = Float64Array.from({ length: count }, (_, rank) => count / (rank + 1) / total);
  const alias = new Uint32Array(count);
  const small: number[] = [];
  const large: number[] = [];
  for (const [rank, value] of share.entries()) (value < 1 ? small : large).push(rank);
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop()!, large.at(-1)!];
    alias[less] = more;
    share[more] = share[more]! + share[less]! - 1;
    if (share[more]! < 1) small.push(large.pop()!);
  }
  // What rounding has left over is as good as full.
  for (const rank of [...small, ...large]) share[rank] = 1;
  return () => {
    const rank = random.integer(0, count - 1);
    return random.unit() < share[rank]! ? rank : alias[rank]!;
  };
}

function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

function shuffle(list: Uint32Array, random: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}
