import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { type Pipeline, startPipeline } from '../local/pipeline.ts';
import { kafkaClient } from '../testkit/pipeline/topic.ts';
import { resource } from '../testkit/resources/resource.ts';
import { percentile } from './percentile.ts';

/*
 * How old an event is when a viewer sees it: a whole pipeline on this machine with a simulated game in it,
 * and now and then an event of a team that leads the board, by a total that tells which event it was.
 * Measured from the moment the event is made to the moment the dashboard's API shows its total. (Pushed
 * frames follow the same state by at most a tick of 500 ms.)
 *
 *   make bench-freshness          at 1,000 events/s
 *   make bench-freshness RATE=20  at another rate
 */

const RATE = Number(process.argv[2] ?? 1_000);
const PROBES = 60;
const SETTLE_MILLIS = 20_000;
/** The first probe leads every simulated team; each further one adds a point. */
const LEAD = 1_000_000_000;

async function main(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gameanalytics-bench-'));
  const started = performance.now();
  const pipeline = await startPipeline(resource({ injector: { eventsPerSecond: RATE, seed: 1 } }, 'bench'), {
    stateDir,
    ports: { kafka: 0, flink: 0, dashboard: 0 },
    report: (sentence) => process.stderr.write(`  ${sentence}\n`),
    signal: new AbortController().signal,
  });
  try {
    process.stdout.write(`start to ready: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
    await sleep(SETTLE_MILLIS);
    const millis = await probes(pipeline);
    process.stdout.write(
      `${RATE} events/s, ${millis.length} probes, event to dashboard: p50 ${percentile(millis, 0.5)} ms, p99 ${percentile(millis, 0.99)} ms, most ${percentile(millis, 1)} ms\n`,
    );
  } finally {
    await pipeline.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function probes(pipeline: Pipeline): Promise<number[]> {
  const producer = kafkaClient(pipeline.broker.bootstrapServers).producer();
  await producer.connect();
  const url = `${pipeline.services.get('bench-dashboard')}/api/boards/top-teams`;
  const measured: number[] = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    measured.push(await oneProbe(producer, pipeline.eventsTopic, url, probe));
    // Probes fall anywhere between the pipeline's ticks.
    await sleep(300 + 400 * Math.random());
  }
  await producer.disconnect();
  return measured;
}

async function oneProbe(producer: Producer, topic: string, url: string, probe: number): Promise<number> {
  const made = Date.now();
  const event = {
    user_id: 'USR-PROBE',
    team_id: 'TEAM-PROBE',
    team_name: 'Probe',
    score: probe === 0 ? LEAD : 1,
    event_time_millis: made,
    event_type: 'normal',
  };
  await producer.send({ topic, acks: -1, messages: [{ key: event.user_id, value: JSON.stringify(event) }] });
  while ((await leadersTotal(url)) < LEAD + probe) await sleep(10);
  return Date.now() - made;
}

async function leadersTotal(url: string): Promise<number> {
  const { rows } = (await (await fetch(url)).json()) as { rows: { total_score: number }[] };
  return rows[0]?.total_score ?? 0;
}

await main();
