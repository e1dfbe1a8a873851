import type { Live } from '../live.ts';
import type { Stats } from '../stats/stats.ts';
import { formatRate, formatSeconds, formatValue, type Timestamp, timestamp } from './format.ts';

/** The header's figures of what goes through the pipeline, as they will be shown. */
export interface Traffic {
  /** `quiet`: no event for a while. */
  state: 'waiting' | 'live' | 'quiet' | 'away';
  rate: string;
  /** The rate's course; null while there is none to draw. */
  spark: Sparkline | null;
  facts: { label: string; text: string }[];
}

/** SVG paths in a box of 100 by 100, the line and the area under it. */
export interface Sparkline {
  line: string;
  area: string;
  /** The same in words. */
  words: string;
}

/** How fresh what is shown is. */
export interface Freshness {
  newest: Timestamp | null;
  delay: string;
  stale: boolean;
}

/** Without an event for longer, the game is said to be quiet. */
const QUIET_MILLIS = 30_000;

/** @param now epoch milliseconds */
export function trafficOf(stats: Live<Stats>, now: number): Traffic {
  const view = stats.content.view(now);
  const kind = stats.status.kind;
  return {
    state: kind === 'live' && isQuiet(view.newestEventMillis, now) ? 'quiet' : kind,
    rate: stats.ready ? formatRate(view.eventsPerSecond) : formatValue('integer', null),
    spark: sparkline(view.rates),
    facts: [
      { label: 'players', text: formatValue('integer', view.activePlayers) },
      { label: 'teams', text: formatValue('integer', view.activeTeams) },
      { label: 'late', text: formatValue('percent', view.lateShare) },
      { label: 'robots', text: formatValue('percent', view.robotShare) },
    ],
  };
}

/** @param now epoch milliseconds */
export function freshnessOf(stats: Live<Stats>, now: number): Freshness {
  const { newestEventMillis, delayMillis } = stats.content.view(now);
  return {
    newest: newestEventMillis === null ? null : timestamp(newestEventMillis, 'second'),
    delay: formatSeconds(delayMillis),
    stale: isQuiet(newestEventMillis, now),
  };
}

function isQuiet(newestEventMillis: number | null, now: number): boolean {
  return newestEventMillis !== null && now - newestEventMillis > QUIET_MILLIS;
}

function sparkline(rates: number[]): Sparkline | null {
  if (rates.length < 2) return null;
  const highest = Math.max(...rates);
  const points = rates.map((rate, index) => {
    const x = (100 * index) / (rates.length - 1);
    // A little room above, so that the line is not cut.
    const y = 100 - (92 * rate) / Math.max(highest, Number.MIN_VALUE);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  const words = `Events per second in the last minutes: between ${formatRate(Math.min(...rates))} and ${formatRate(highest)}`;
  return { line, area: `${line}L100 100L0 100Z`, words };
}
