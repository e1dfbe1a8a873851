import { IdSource } from './ids.ts';
import type { GameOptions } from './options.ts';
import type { Random } from './random.ts';
import { formTeam, MAX_ACTIVITY, type Player, type Team } from './team.ts';

/**
 * A robot plays this many times as often as the average person: more than three times as often as the keenest
 * one.
 */
export const ROBOT_PACE = 5;
/** However the dice fall, people keep at least a tenth of the events. */
const MAX_ROBOT_SHARE = 0.9;

interface ActiveTeam {
  readonly team: Team;
  readonly endsAt: number;
}
interface RobotTurn {
  readonly robot: Player;
  readonly at: number;
}

/**
 * The teams that play now. Times are milliseconds since the game began.
 *
 * The league plays `eventsPerSecond` in total. Robots take turns at a fixed gap, the same for all and
 * forever: ROBOT_PACE times as often as a person would play in a league of average make-up. People share what
 * the robots leave, at random moments, each according to activity.
 */
export class League {
  /** Between two turns of one robot. */
  readonly robotGapMillis: number;

  readonly #options: GameOptions;
  readonly #random: Random;
  readonly #ids: IdSource;
  readonly #maxRobots: number;
  #teams: ActiveTeam[] = [];
  #people: readonly Player[] = [];
  /**
   * In the order of their turns. As all robots have the same gap, one that has played goes to the end of the
   * line.
   */
  #robotTurns: RobotTurn[] = [];
  #nextEnd = 0;

  constructor(options: GameOptions, random: Random) {
    const { eventsPerSecond, liveTeams, membersMin, membersMax, robotProbability } = options;
    const personsPerTeam = (membersMin + membersMax) / 2 + robotProbability * ROBOT_PACE;
    const robotsPerSecond = (ROBOT_PACE * eventsPerSecond) / (liveTeams * personsPerTeam);
    this.robotGapMillis = 1000 / robotsPerSecond;
    this.#maxRobots = Math.floor((MAX_ROBOT_SHARE * eventsPerSecond) / robotsPerSecond);
    this.#options = options;
    this.#random = random;
    this.#ids = new IdSource(random);
    for (let i = 0; i < liveTeams; i++) {
      const { team, endsAt } = this.#addTeam(0);
      // The first teams are met at some point of their lives, or they would all end together.
      this.#teams.push({ team, endsAt: endsAt * (1 - random.unit()) });
    }
    this.#refresh();
  }

  get teams(): readonly Team[] {
    return this.#teams.map((active) => active.team);
  }

  /** When the next team ends. */
  get nextEnd(): number {
    return this.#nextEnd;
  }

  /** When the next robot has its turn; never, if there is none. */
  get nextRobotAt(): number {
    return this.#robotTurns[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The average gap between two events of people. */
  get peopleGapMillis(): number {
    return 1000 / (this.#options.eventsPerSecond - (1000 * this.#robotTurns.length) / this.robotGapMillis);
  }

  /** Replaces every team whose time is up by `now`, each at the moment its predecessor ended. */
  replaceEnded(now: number): void {
    while (this.#nextEnd <= now) {
      const index = this.#teams.findIndex((active) => active.endsAt === this.#nextEnd);
      const ended = this.#teams[index] as ActiveTeam;
      this.#robotTurns = this.#robotTurns.filter((turn) => turn.robot !== ended.team.robot);
      this.#teams[index] = this.#addTeam(ended.endsAt);
      this.#refresh();
    }
  }

  /** Takes the next robot's turn. Only to be called when `nextRobotAt` is finite. */
  takeRobotTurn(): Player {
    const { robot, at } = this.#robotTurns.shift() as RobotTurn;
    this.#robotTurns.push({ robot, at: at + this.robotGapMillis });
    return robot;
  }

  /**
   * A person, chosen by activity: drawn evenly, and drawn again as often as the person is less keen than the
   * keenest.
   */
  pickPerson(): Player {
    for (;;) {
      const person = this.#random.pick(this.#people);
      if (this.#random.chance(person.activity / MAX_ACTIVITY)) return person;
    }
  }

  #addTeam(bornAt: number): ActiveTeam {
    const withRobot =
      this.#random.chance(this.#options.robotProbability) && this.#robotTurns.length < this.#maxRobots;
    const isTaken = (name: string) => this.#teams.some((active) => active.team.name === name);
    const team = formTeam(this.#options, this.#random, this.#ids, withRobot, isTaken);
    if (team.robot) {
      // The first turn comes at any point of the gap: after a whole one, short-lived robots would play less
      // than their share.
      this.#robotTurns.push({ robot: team.robot, at: bornAt + this.#random.between(0, this.robotGapMillis) });
    }
    return { team, endsAt: bornAt + team.lifeMillis };
  }

  #refresh(): void {
    this.#robotTurns.sort((a, b) => a.at - b.at);
    this.#people = this.#teams.flatMap((active) => active.team.people);
    this.#nextEnd = this.#teams.reduce(
      (first, active) => Math.min(first, active.endsAt),
      Number.POSITIVE_INFINITY,
    );
  }
}
