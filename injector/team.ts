import { faker } from '@faker-js/faker/locale/en';
import { ROBOT_PREFIX } from '../contract/event.ts';
import type { IdSource } from './ids.ts';
import type { GameOptions } from './options.ts';
import type { Random } from './random.ts';

/** Someone who plays; the team's id and name are copied here because every event carries them. */
export interface Player {
  readonly userId: string;
  readonly teamId: string;
  readonly teamName: string;
  /** 1 scores evenly over the whole range; above 1 leans to high scores, below 1 to low ones. */
  readonly skill: number;
  /** How often this person plays, relative to the others: the average is 1, the most is MAX_ACTIVITY. */
  readonly activity: number;
}

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly people: readonly Player[];
  /** A robot plays at its own fixed rate, so its activity is not used. */
  readonly robot: Player | undefined;
  /** How long the team plays, in milliseconds. */
  readonly lifeMillis: number;
}

const MINUTE = 60_000;
export const TEAM_LIFE_MIN_MILLIS = 20 * MINUTE;
export const TEAM_LIFE_MAX_MILLIS = 40 * MINUTE;

const MIN_ACTIVITY = 0.5;
export const MAX_ACTIVITY = 1.5;
const MIN_SKILL = 0.5;
const MAX_SKILL = 2;

const NAME_ATTEMPTS = 10;

/**
 * Forms a new team. Its name is one that `isTaken` does not know, as far as there are any left (colors times
 * animals: some 1,300). `withRobot` says whether a robot joins.
 */
export function formTeam(
  options: GameOptions,
  random: Random,
  ids: IdSource,
  withRobot: boolean,
  isTaken: (name: string) => boolean,
): Team {
  const id = ids.next('TEAM');
  const name = nameTeam(random, isTaken);
  const join = (prefix: string, skill: number, activity: number): Player => ({
    userId: ids.next(prefix),
    teamId: id,
    teamName: name,
    skill,
    activity,
  });
  const people = Array.from({ length: random.integer(options.membersMin, options.membersMax) }, () =>
    join('USR', random.between(MIN_SKILL, MAX_SKILL), random.between(MIN_ACTIVITY, MAX_ACTIVITY)),
  );
  const robot = withRobot ? join(ROBOT_PREFIX, 1, 1) : undefined;
  return { id, name, people, robot, lifeMillis: random.between(TEAM_LIFE_MIN_MILLIS, TEAM_LIFE_MAX_MILLIS) };
}

/**
 * A score from 0 to maxScore. Skill bends an even draw towards one end: the average is about skill / (skill +
 * 1) of maxScore.
 */
export function drawScore(player: Player, maxScore: number, random: Random): number {
  return Math.floor(random.unit() ** (1 / player.skill) * (maxScore + 1));
}

function nameTeam(random: Random, isTaken: (name: string) => boolean): string {
  // Faker's words, our dice: faker's own are shared, and two games would disturb each other.
  const { color, animal } = faker.definitions;
  let name = '';
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const words = `${random.pick(color.human)} ${random.pick(animal.type)}`;
    name = words.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    if (!isTaken(name)) break;
  }
  return name;
}
