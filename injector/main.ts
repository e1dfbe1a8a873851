import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Access } from '../kafka/access.ts';
import { describeKafkaError } from '../kafka/errors.ts';
import { findTopic, type KafkaOptions, MAX_MESSAGES_PER_SESSION, openSession } from '../kafka/producer.ts';
import { runProgram } from '../kafka/program.ts';
import { Backoff } from '../lib/backoff.ts';
import { startProbeServer } from '../lib/probe-server.ts';
import { sleep } from '../lib/sleep.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { registerSchema, SchemaRefusedError } from '../registry/schema-registry.ts';
import { avroEncoder, EVENT_SCHEMA } from './avro.ts';
import { createMetrics } from './metrics.ts';
import type { GameOptions } from './options.ts';
import { Pacer } from './pacer.ts';
import { EventProducer, type ProducerOptions } from './producer.ts';
import { Progress } from './progress.ts';
import { pump } from './pump.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';
import { simulate } from './simulation.ts';

const REPORT_MILLIS = 5000;
const FIRST_RETRY_MILLIS = 500;
const LAST_RETRY_MILLIS = 5000;
const FLUSH_MILLIS = 10_000;
const DISCONNECT_MILLIS = 2000;
/** Less than this is the rhythm of batches and not worth a word. */
const NOTABLE_LAG_MILLIS = 200;

async function run(settings: Settings, access: Access, log: Logger): Promise<number> {
  const stop = stopOnSignals((name) => log.info(`${name}: stopping`));
  const progress = new Progress(Date.now());
  const game = gameOptions(settings);
  // The game begins when there is a topic to write to: `pacer` is made then.
  let pacer: Pacer | undefined;
  const metrics = createMetrics(progress, () => pacer?.behindMillis(Date.now()) ?? 0);
  const { url: address } = await startProbeServer({
    host: settings.HOST,
    port: settings.PORT,
    ready: () => {
      const reason = progress.unreadiness(Date.now());
      return reason === undefined ? [] : [reason];
    },
    registry: metrics.registry,
    log,
  });
  log.info({ address, topic: settings.EVENTS_TOPIC, ...game }, 'started');

  const kafka: KafkaOptions = {
    brokers: settings.KAFKA_BOOTSTRAP_SERVERS,
    topic: settings.EVENTS_TOPIC,
    access,
    log,
    onError: (reason) => progress.fail(describeKafkaError(reason, settings.EVENTS_TOPIC)),
  };
  let encode: ProducerOptions['encode'] = (event) => JSON.stringify(event);
  const producer = new EventProducer({
    openSession: () => openSession(kafka),
    encode: (event) => encode(event),
    onFailure(failure) {
      const reason = describeKafkaError(failure, settings.EVENTS_TOPIC);
      progress.fail(reason);
      log.warn(`sending failed, trying again over a new connection: ${reason}`);
    },
    sleep: (millis) => delay(millis),
    maxMessagesPerSession: MAX_MESSAGES_PER_SESSION,
  });

  async function play(): Promise<void> {
    const find = { progress, log, stop };
    await waitFor(() => findTopic(kafka), find);
    const { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_FOLDER: folder } = settings;
    if (url !== undefined) {
      const subject = `${settings.EVENTS_TOPIC}-value`;
      const id = await waitFor(() => registerSchema({ url, folder }, subject, EVENT_SCHEMA, stop), find);
      if (id !== undefined) encode = avroEncoder(id);
    }
    if (stop.aborted) return;
    progress.waiting('the first event');
    pacer = new Pacer(simulate(game, Date.now()));
    reportRegularly(pacer, progress, log);
    await pump({
      pacer,
      async send(events) {
        const began = Date.now();
        progress.accept(events.length, began);
        await producer.send(events);
        progress.acknowledge();
        metrics.observeSend(Date.now() - began);
      },
      now: Date.now,
      sleep: (millis) => sleep(millis, stop),
      stop,
    });
  }

  // After the stop, what was accepted has its time to be sent: none if there is nothing.
  const deadline = new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => setTimeout(resolve, progress.pending > 0 ? FLUSH_MILLIS : 0));
  });
  await Promise.race([play(), deadline]);
  await Promise.race([producer.close(), delay(DISCONNECT_MILLIS)]);
  const lost = progress.pending;
  log[lost > 0 ? 'error' : 'info'](
    { total: progress.acknowledged, errors: progress.errors, ...(lost > 0 ? { lost } : {}) },
    lost > 0 ? `stopped; ${lost} accepted events could not be sent` : 'stopped; all accepted events are sent',
  );
  return lost > 0 ? 1 : 0;
}

interface Waiting {
  progress: Progress;
  log: Logger;
  stop: AbortSignal;
}

/** Asks again, later each time, until there is an answer; undefined: it is to stop before. */
async function waitFor<T>(ask: () => Promise<T>, { progress, log, stop }: Waiting): Promise<T | undefined> {
  const backoff = new Backoff(FIRST_RETRY_MILLIS, LAST_RETRY_MILLIS, Math.random);
  while (!stop.aborted) {
    try {
      return await ask();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      progress.waiting(reason);
      log[error instanceof SchemaRefusedError ? 'error' : 'info'](`waiting for ${reason}`);
      await sleep(backoff.next(), stop);
    }
  }
  return undefined;
}

function reportRegularly(pacer: Pacer, progress: Progress, log: Logger): void {
  let skippedBefore = 0;
  setInterval(() => {
    const now = Date.now();
    const { state, ...counts } = progress.report(now);
    const behindMillis = Math.round(pacer.behindMillis(now));
    const skippedMillis = Math.round(pacer.skippedMillis - skippedBefore);
    skippedBefore = pacer.skippedMillis;
    const lag = {
      ...(behindMillis > NOTABLE_LAG_MILLIS ? { behindMillis } : {}),
      ...(skippedMillis > 0 ? { skippedMillis } : {}),
    };
    log.info({ ...counts, ...lag }, state);
  }, REPORT_MILLIS);
}

function gameOptions(settings: Settings): GameOptions {
  return {
    eventsPerSecond: settings.EVENTS_PER_SECOND,
    liveTeams: settings.LIVE_TEAMS,
    membersMin: settings.MEMBERS_MIN,
    membersMax: settings.MEMBERS_MAX,
    maxScore: settings.MAX_SCORE,
    robotProbability: settings.ROBOT_PROBABILITY,
    lateShare: settings.LATE_SHARE,
    lateMinMillis: settings.LATE_MIN_MILLIS,
    lateMaxMillis: settings.LATE_MAX_MILLIS,
    // Said in the first log line, so that any game can be played again.
    seed: settings.SEED ?? randomInt(2 ** 32),
  };
}

process.exit(await runProgram({ name: 'the injector', help: HELP, parseSettings, run }));
