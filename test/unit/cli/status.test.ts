import { expect, it } from 'vitest';
import { statusLine } from '../../../cli/status.ts';
import type { JobOverview } from '../../../local/flink/rest.ts';
import type { Pipeline } from '../../../local/pipeline.ts';

/** A pipeline with ten events, one filled board of two, and this job. */
function pipelineWith(job: () => JobOverview | undefined): Pipeline {
  const ends: Record<string, string> = { events: '10', 'top-teams': '1', 'top-players': '0' };
  const fetchTopicOffsets = async (topic: string) => [{ high: ends[topic] }];
  return {
    eventsTopic: 'events',
    boardTopics: ['top-teams', 'top-players'],
    broker: { admin: { fetchTopicOffsets } },
    flink: { job: async () => job() },
  } as unknown as Pipeline;
}

it('says how the pipeline does, and while its job fails why, which is reported once', async () => {
  const id = 'j';
  const running: JobOverview = { id, state: 'RUNNING', allTasksRunning: true };
  const failing = (failure: string): JobOverview => {
    return { id, state: 'RESTARTING', allTasksRunning: false, failure };
  };
  let job: JobOverview | undefined = running;
  const reported: string[] = [];
  const line = statusLine(
    pipelineWith(() => job),
    (sentence) => reported.push(sentence),
  );
  const rest = '1 of 2 boards filled';
  expect(await line()).toBe(`0 events/s · job RUNNING · ${rest}`);
  for (const failure of ['A: a', 'A: a', 'B: b']) {
    job = failing(failure);
    expect(await line()).toBe(`0 events/s · job RESTARTING: ${failure} · ${rest}`);
    job = running;
    expect(await line()).toBe(`0 events/s · job RUNNING · ${rest}`);
  }
  job = undefined;
  expect(await line()).toBe(`0 events/s · job unreachable · ${rest}`);
  expect(reported).toEqual(
    ['A: a', 'B: b'].map((cause) => `the Flink job fails and is started again: ${cause}`),
  );
});
