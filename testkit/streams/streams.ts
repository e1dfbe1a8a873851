import fc from 'fast-check';
import type { Message } from './events.ts';

/** An event that counts, as the stream's maker knows it. */
export interface Play {
  user: string;
  team: string;
  teamName: string | null;
  score: number;
  /** Epoch milliseconds. */
  time: number;
  /** Epoch milliseconds of the record. */
  producedAt: number;
}

/** Records of an events topic, with what of them counts by construction. */
export interface Stream {
  /** In the order in which they are produced; timestamps ascend. */
  messages: Message[];
  /** What counts. */
  plays: Play[];
  /** Those of the messages that do not count, and why. */
  uncounted: { message: Message; reason: string }[];
  /** A whole minute after the last record, epoch milliseconds. */
  end: number;
}

export interface StreamOptions {
  /** Epoch milliseconds; no record is older. */
  start: number;
  partitions?: number;
  /** A partition that gets nothing. */
  idle?: number;
  /** What every id begins with, so that streams can be kept apart. */
  prefix?: string;
  /** The most that the scores of a team or a player come to. */
  maxTotal?: number;
  /** Whether negative scores count. */
  corrections?: boolean;
  /** How many things happen; each is a record or a few. */
  minSteps?: number;
  maxSteps?: number;
}

/**
 * Streams of a game as a topic may hold them: a few players play most, totals, shares and streaks tie, events
 * are late or ahead, sent again by a producer that got no answer, or do not count; teams are renamed, ids are
 * unusual. Totals of a team or a player stay within the integers that JSON carries exactly, unless a lower
 * limit is given.
 */
export function streams(options: StreamOptions): fc.Arbitrary<Stream> {
  const { minSteps = 0, maxSteps = 60, corrections = false } = options;
  const steps = fc.array(step(corrections), { minLength: minSteps, maxLength: maxSteps, size: 'max' });
  return fc.record({ mirrored: fc.boolean(), steps }).map((outline) => drawn(outline, options));
}

/** One thing that happens in a stream, relative to what came before it. */
interface Step {
  pauseMillis: number;
  player: number;
  /** How many other teams the player plays for. */
  transfer: number;
  name: string | null | undefined;
  score: number;
  /** How long the record was made after the event; negative when the event's clock is ahead. */
  latenessMillis: number;
  /** The event is at the full five seconds before, where windows begin and end. */
  onTheDot: boolean;
  partition: number;
  /** How often the record is in the topic. */
  copies: number;
  spoiled: Spoiled | undefined;
}

/** What makes an event one that does not count, and why: other fields, or another text altogether. */
type Spoiled = { reason: string } & ({ fields: Record<string, unknown> } | { text: string });

const PLAYERS = 24;
const TEAMS = 7;
const MINUTE = 60_000;
/** The default of events.maxLateness. */
const MAX_LATENESS = 5_000;
const DOT = 5_000;

function step(corrections: boolean): fc.Arbitrary<Step> {
  return fc.record({
    pauseMillis: weighted(
      [12, fc.nat(1_500)],
      [2, fc.constant(0)],
      [1, fc.integer({ min: 10_000, max: 90_000 })],
    ),
    player: zipf(PLAYERS),
    transfer: weighted([12, fc.constant(0)], [1, fc.nat(TEAMS - 1)]),
    name: weighted([2, fc.constant(undefined)], [8, fc.constantFrom(...NAMES)], [1, fc.constant(null)]),
    score: corrections ? correctedScores() : scores(),
    latenessMillis: lateness(),
    onTheDot: weighted([8, fc.constant(false)], [1, fc.constant(true)]),
    partition: fc.nat(999),
    copies: weighted([18, fc.constant(1)], [1, fc.integer({ min: 2, max: 3 })]),
    spoiled: weighted(
      [12, fc.constant(undefined)],
      [1, fc.constantFrom(...(corrections ? SPOILED_ALWAYS : SPOILED))],
    ),
  });
}

/** The first of the arbitraries is the simplest, to which others shrink. */
function weighted<T>(...options: [weight: number, arbitrary: fc.Arbitrary<T>][]): fc.Arbitrary<T> {
  return fc.oneof(
    { withCrossShrink: true },
    ...options.map(([weight, arbitrary]) => ({ weight, arbitrary })),
  );
}

/**
 * From 0 to below `count`, each number about as often as its place in the order says: the second half as
 * often as the first.
 */
function zipf(count: number): fc.Arbitrary<number> {
  return fc.nat(9_999).map((place) => Math.floor((count + 1) ** (place / 10_000)) - 1);
}

function scores(): fc.Arbitrary<number> {
  return weighted(
    [6, fc.constantFrom(0, 1, 2, 3, 7)],
    [8, fc.nat(100)],
    [1, fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 })],
    [1, fc.maxSafeNat()],
  );
}

/** Of three, one is negative. */
function correctedScores(): fc.Arbitrary<number> {
  const signs = weighted([2, fc.constant(1)], [1, fc.constant(-1)]);
  return fc.tuple(scores(), signs).map(([score, sign]) => withSign(score, sign));
}

/** Without the 0 that is below 0. */
function withSign(amount: number, sign: number): number {
  return sign * amount || 0;
}

/** Timely, at the border of what still counts in the streaks, behind it, seasons behind, and ahead. */
function lateness(): fc.Arbitrary<number> {
  return weighted(
    [12, fc.nat(2_000)],
    [2, fc.integer({ min: MAX_LATENESS - 2, max: MAX_LATENESS + 2 })],
    [1, fc.integer({ min: MAX_LATENESS, max: 2 * MINUTE })],
    [1, fc.integer({ min: 0, max: 30 * MINUTE })],
    [1, fc.integer({ min: -10 * MINUTE, max: 0 })],
  );
}

/** U+FF61 is before U+1F3C6 by code point and by UTF-8, and after it by UTF-16. */
const CHARACTERS = [
  '',
  '\u{1F3C6}',
  '\uFF61',
  "'",
  '"',
  '\\',
  '\u0000',
  '|',
  ' ',
  'é',
  'e\u0301',
  'ש',
  '`;--',
  '%s',
  '\u{1F3C6}'.repeat(150),
];

const NAMES = [
  'Otter',
  'Otter II',
  'otter',
  '',
  ...CHARACTERS.map((character) => `${character}tter`),
  'n'.repeat(300),
  '\u{1F3C6}'.repeat(300),
];

/** In characters, of which some are two units of a string. */
const LONGEST = 256;

const SPOILED_ALWAYS: Spoiled[] = [
  ...spoiledBy('score', 'score_out_of_range', [2 ** 53, -(2 ** 53)]),
  ...spoiledBy('score', 'no_score', [1e300, 'many', '', true, null]),
  // The time follows, and Flink does not find it, or loses its way altogether.
  ...spoiledBy('score', 'no_time', [{}]),
  ...spoiledBy('score', 'malformed', [[]]),
  ...spoiledBy('user_id', 'no_user', ['', null, undefined]),
  ...spoiledBy('team_id', 'no_team', ['', null, undefined]),
  ...['user_id', 'team_id'].flatMap((id) =>
    spoiledBy(id, 'id_too_long', ['x'.repeat(LONGEST + 1), '\u{1F3C6}'.repeat(LONGEST + 1)]),
  ),
  // Of today in seconds, microseconds and nanoseconds; then the first that are too small and too large.
  ...spoiledBy('event_time_millis', 'time_out_of_range', [
    1_767_225_600,
    1_767_225_600e6,
    1_767_225_600e9,
    1e11 - 1,
    1e13,
    -1,
  ]),
  ...spoiledBy('event_time_millis', 'no_time', ['noon', null, undefined]),
  ...['', 'not json', '{"user_id":', '[]', 'null', '17', '"text"'].map((text) => ({
    text,
    reason: 'malformed',
  })),
];

const SPOILED = [...spoiledBy('score', 'score_out_of_range', [-1, -(2 ** 31)]), ...SPOILED_ALWAYS];

function spoiledBy(field: string, reason: string, values: unknown[]): Spoiled[] {
  return values.map((value) => ({ fields: { [field]: value }, reason }));
}

/**
 * The stream that an outline stands for. Mirrored, every event has a twin of another player in another team:
 * all ties.
 */
function drawn({ mirrored, steps }: { mirrored: boolean; steps: Step[] }, options: StreamOptions): Stream {
  const { start, partitions = 3, idle, prefix = '', maxTotal = Number.MAX_SAFE_INTEGER } = options;
  const active = Array.from({ length: partitions }, (_, i) => i).filter((i) => i !== idle);
  const budget = new Budget(maxTotal);
  const stream: Stream = { messages: [], plays: [], uncounted: [], end: start };
  let now = start;
  for (const step of steps) {
    now += step.pauseMillis;
    for (const twin of mirrored ? [0, 1] : [0]) {
      const play = playOf(step, twin, now, prefix);
      if (!step.spoiled) play.score = budget.afford(play, step.copies);
      const partition = active[(step.partition + twin) % active.length]!;
      const message = { key: play.user, value: textOf(play, step), timestamp: now, partition };
      for (let copy = 0; copy < step.copies; copy += 1) {
        stream.messages.push(message);
        if (step.spoiled) stream.uncounted.push({ message, reason: step.spoiled.reason });
        else stream.plays.push(play);
      }
    }
  }
  stream.end = now - (now % MINUTE) + MINUTE;
  return stream;
}

function playOf(step: Step, twin: number, now: number, prefix: string): Play {
  const team = ((step.player + step.transfer) % TEAMS) + twin * TEAMS;
  const time = now - step.latenessMillis;
  return {
    user: `${prefix}${idOf(step.player + twin * PLAYERS)}`,
    team: `${prefix}T${idOf(team)}`,
    teamName: step.name === undefined ? null : firstCharacters(step.name),
    score: step.score,
    time: step.onTheDot ? time - (time % DOT) : time,
    producedAt: now,
  };
}

function idOf(number: number): string {
  return `${CHARACTERS[number % CHARACTERS.length]}${number}`;
}

function firstCharacters(text: string | null): string | null {
  return text && [...text].slice(0, LONGEST).join('');
}

function textOf(play: Play, { name, spoiled }: Step): string {
  if (spoiled && 'text' in spoiled) return spoiled.text;
  const fields = {
    user_id: play.user,
    team_id: play.team,
    team_name: name,
    score: play.score,
    event_time_millis: play.time,
  };
  return JSON.stringify({ ...fields, ...spoiled?.fields });
}

/** Keeps the total of every player and every team within a limit, whatever the order and the signs. */
class Budget {
  readonly #limit: number;
  readonly #spent = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The play's score, or what is left when that is too much for its player or its team. */
  afford({ user, team, score }: Play, copies: number): number {
    const left = [user, team].map((id) => this.#limit - (this.#spent.get(id) ?? 0));
    const affordable = Math.min(Math.abs(score), ...left.map((rest) => Math.floor(rest / copies)));
    for (const id of [user, team]) this.#spent.set(id, (this.#spent.get(id) ?? 0) + affordable * copies);
    return withSign(affordable, Math.sign(score));
  }
}
