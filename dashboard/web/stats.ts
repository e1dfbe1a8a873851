import type { FastifyInstance } from 'fastify';
import type { Live } from '../live.ts';
import type { Slot } from '../stats/slot.ts';
import type { Stats } from '../stats/stats.ts';
import type { StatsAnswer } from './api-schema.ts';
import { iso } from './iso.ts';

export interface StatsOptions {
  stats: Live<Stats>;
  /** Epoch milliseconds. */
  now: () => number;
}

/** What went through the pipeline in the last five minutes, as JSON. */
export async function statsRoutes(app: FastifyInstance, { stats, now }: StatsOptions): Promise<void> {
  app.get('/api/stats', async (): Promise<StatsAnswer> => {
    const nowMillis = now();
    const { slots, eventsPerSecond, newestEventMillis } = stats.content.view(nowMillis);
    return {
      now: iso(nowMillis),
      status: stats.status.kind,
      eventsPerSecond,
      newestEventTime: iso(newestEventMillis),
      // Whoever makes the events may have a clock that runs ahead.
      ageMillis: newestEventMillis === null ? null : Math.max(nowMillis - newestEventMillis, 0),
      slots: slots.map(slotFields),
    };
  });
}

function slotFields({ startMillis, newestEventMillis, ...counts }: Slot) {
  return {
    start: iso(startMillis),
    ...counts,
    newestEventTime: iso(newestEventMillis),
  };
}
