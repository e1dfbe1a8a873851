import { FailureReport } from '../local/flink/cluster.ts';
import type { Pipeline } from '../local/pipeline.ts';
import type { Report } from '../local/process/report.ts';

/**
 * Asks a running pipeline how it does: the rate at which events reach Kafka, the job's state, and which
 * boards have rows. While the job fails, the line says why, and it is reported.
 */
export function statusLine(pipeline: Pipeline, report: Report): () => Promise<string> {
  const failures = new FailureReport(report);
  let before: { events: number; at: number } | undefined;
  return async () => {
    const ends = await Promise.all(
      [pipeline.eventsTopic, ...pipeline.boardTopics].map((topic) => countRecords(pipeline, topic)),
    );
    const [events = 0, ...boards] = ends;
    const now = { events, at: performance.now() };
    const rate = before ? Math.round((1000 * (now.events - before.events)) / (now.at - before.at)) : 0;
    before = now;
    const job = await pipeline.flink.job();
    failures.note(job);
    const state = [job?.state ?? 'unreachable', job?.failure].filter(Boolean).join(': ');
    const filled = boards.filter((records) => records > 0).length;
    return `${rate} events/s · job ${state} · ${filled} of ${boards.length} boards filled`;
  };
}

async function countRecords({ broker }: Pipeline, topic: string): Promise<number> {
  try {
    const partitions = await broker.admin.fetchTopicOffsets(topic);
    return partitions.reduce((sum, { high }) => sum + Number(high), 0);
  } catch {
    return 0;
  }
}
