import type { FastifyInstance } from 'fastify';
import { isCounted, type ObservedState, type PipelineMonitor } from '../pipeline-state.ts';
import type { ScreenDelays } from '../stats/screen-delays.ts';
import { type Progress, type ShownSlot, type Stats, sumReasons } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
import type { StatsAnswer } from './api-schema.ts';
import { iso } from './timestamp.ts';

export interface StatsOptions {
  stats: TopicState<Stats>;
  delays: ScreenDelays;
  pipeline: PipelineMonitor;
  /** Epoch milliseconds. */
  now: () => number;
}

/** What went through the pipeline in the last five minutes, as JSON. */
export async function statsRoutes(
  app: FastifyInstance,
  { stats, delays, pipeline, now }: StatsOptions,
): Promise<void> {
  app.get('/api/stats', async (): Promise<StatsAnswer> => {
    const nowMillis = now();
    const state = pipeline.observe(nowMillis);
    const view = stats.content.view(nowMillis, state);
    const { slots, totals, eventsPerSecond, notCounted } = view;
    const { newestEventMillis } = stats.content;
    return {
      now: iso(nowMillis),
      status: stats.status.kind,
      pipeline: pipelineFields(state, stats.content.progress(nowMillis, state.readUntilMillis)),
      eventsPerSecond: state.countedUntilMillis === undefined ? undefined : eventsPerSecond,
      eventToScreen: delays.view(nowMillis),
      newestEventTime: iso(newestEventMillis),
      // The producer's clock may be ahead.
      ageMillis: newestEventMillis === undefined ? undefined : Math.max(nowMillis - newestEventMillis, 0),
      totals: { ...totals, notCounted: sumReasons(slots) },
      examples: Object.fromEntries(
        notCounted.flatMap(({ id, example }) => (example === undefined ? [] : [[id, example]])),
      ),
      slots: slots.map(slotFields),
    };
  });
}

function pipelineFields({ kind, sinceMillis }: ObservedState, progress: Progress) {
  const { countedMillis, handledMillis, progressMillis } = progress;
  return {
    state: kind,
    since: iso(sinceMillis),
    countedUntil: iso(isCounted(kind) ? handledMillis : countedMillis),
    lastCountAt: iso(progressMillis),
  };
}

function slotFields({ startMillis, newestEventMillis, reasons, examples, ...counts }: ShownSlot) {
  return {
    start: iso(startMillis),
    ...counts,
    notCounted: reasons,
    newestEventTime: iso(newestEventMillis),
  };
}
