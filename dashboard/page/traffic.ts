import { SLOT_MILLIS } from '../../contract/stats.ts';
import type { ObservedState, PipelineKind } from '../pipeline-state.ts';
import type { ScreenDelays } from '../stats/screen-delays.ts';
import type { Counted, Stats } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
import { formatRate, formatSeconds, formatShare, formatValue, type Timestamp, timestamp } from './format.ts';

/** The header's figures of what goes through the pipeline, as they will be shown. */
export interface Traffic {
  state: PipelineKind;
  rate: string;
  /** The rate's course; undefined while there is none to draw. */
  spark: Sparkline | undefined;
  facts: Fact[];
}

export interface Fact {
  /** Of what, and of which time. */
  label: string;
  text: string;
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
  newest: Timestamp | undefined;
  delay: string;
  stale: boolean;
}

/** A newest event of longer ago is marked. */
const STALE_MILLIS = 30_000;

/**
 * @param pipeline how the pipeline is as a whole; what the events were is known only while all are counted
 * @param now epoch milliseconds
 * @param hasTeams whether the game has teams, as far as its boards show
 */
export function createTraffic(
  stats: TopicState<Stats>,
  { kind, ...counted }: Pick<ObservedState, 'kind'> & Counted,
  now: number,
  hasTeams: boolean,
): Traffic {
  const view = counted.countedUntilMillis === undefined ? undefined : stats.content.view(now, counted);
  return {
    state: kind,
    rate: formatRate(view?.eventsPerSecond),
    spark: view && sparkline(view.rates),
    facts: [
      { label: `players in ${SLOT_MILLIS / 1000} s`, text: formatValue('integer', view?.activePlayers) },
      ...(hasTeams
        ? [{ label: `teams in ${SLOT_MILLIS / 1000} s`, text: formatValue('integer', view?.activeTeams) }]
        : []),
      { label: 'robots in 1 min', text: formatValue('percent', view?.robotShare) },
      ...trouble('late', view?.lateShare),
      ...trouble('invalid', view?.uncountedShare),
      ...trouble('malformed', view?.undecodableShare),
    ],
  };
}

function trouble(what: string, share: number | undefined): Fact[] {
  return share ? [{ label: `${what} in 1 min`, text: formatShare(share) }] : [];
}

/** @param now epoch milliseconds */
export function createFreshness(stats: TopicState<Stats>, delays: ScreenDelays, now: number): Freshness {
  const { newestEventMillis } = stats.content;
  return {
    newest: newestEventMillis === undefined ? undefined : timestamp(newestEventMillis, 'second'),
    delay: formatSeconds(delays.view(now)?.medianMillis),
    stale: newestEventMillis !== undefined && now - newestEventMillis > STALE_MILLIS,
  };
}

function sparkline(rates: number[]): Sparkline | undefined {
  if (rates.length < 2) return undefined;
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
