import { readableTime, type ScheduledEvent } from './event.ts';
import { League } from './league.ts';
import type { GameOptions } from './options.ts';
import { Random } from './random.ts';
import { drawScore, type Player } from './team.ts';

/** The simulated game. The caller may pass `next(millis)` to let that much time pass without plays. */
export type Simulation = Generator<ScheduledEvent, never, number | undefined>;

/**
 * Plays the game from `startMillis` (epoch) forever: events in the order of the times at which they go to
 * Kafka. No clock and no I/O; the same options give the same game, and another start only moves its times.
 */
export function* simulate(options: GameOptions, startMillis: number): Simulation {
  const random = new Random(options.seed);
  const league = new League(options, random);
  let epoch = startMillis;
  let nextPersonAt = random.exponential(league.peopleGapMillis);
  for (;;) {
    const robotIsNext = league.nextRobotAt <= nextPersonAt;
    const now = robotIsNext ? league.nextRobotAt : nextPersonAt;
    if (league.nextEnd <= now) {
      // The robot whose turn it was may have left with its team: find the next one.
      league.replaceEnded(now);
      continue;
    }
    const player = robotIsNext ? league.takeRobotTurn() : league.pickPerson();
    if (!robotIsNext) nextPersonAt = now + random.exponential(league.peopleGapMillis);
    epoch += (yield play(player, epoch + now, options, random)) ?? 0;
  }
}

function play(player: Player, at: number, options: GameOptions, random: Random): ScheduledEvent {
  const score = drawScore(player, options.maxScore, random);
  const late = random.chance(options.lateShare);
  const delay = late ? random.integer(options.lateMinMillis, options.lateMaxMillis) : 0;
  const eventTime = Math.floor(at) - delay;
  return {
    at,
    event: {
      user_id: player.userId,
      team_id: player.teamId,
      team_name: player.teamName,
      score,
      event_time_millis: eventTime,
      readable_time: readableTime(eventTime),
      event_type: late ? 'late' : 'normal',
    },
  };
}
