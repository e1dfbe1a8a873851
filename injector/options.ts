/** What the simulated game is like. All shares and probabilities are 0 to 1. */
export interface GameOptions {
  /** All events of all players, on average. */
  readonly eventsPerSecond: number;
  /** How many teams play at any time. */
  readonly liveTeams: number;
  /** People per team, both included; a robot comes on top. */
  readonly membersMin: number;
  readonly membersMax: number;
  /** Scores are integers from 0 to this. */
  readonly maxScore: number;
  /** The chance that a new team has a robot. */
  readonly robotProbability: number;
  /** The share of events that arrive late, and how late they are. */
  readonly lateShare: number;
  readonly lateMinMillis: number;
  readonly lateMaxMillis: number;
  /** The same seed plays the same game. */
  readonly seed: number;
}
