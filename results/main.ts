import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Access } from '../kafka/access.ts';
import { kafkaClient } from '../kafka/client.ts';
import { runProgram } from '../kafka/program.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { Backoff } from '../lib/backoff.ts';
import { startProbeServer } from '../lib/probe-server.ts';
import { sleep } from '../lib/sleep.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { follow, type State } from './follow.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';

const PROGRAM = 'results';
const RETRY_MILLIS = 1000;
const LONGEST_RETRY_MILLIS = 30_000;

async function run(settings: Settings, access: Access, log: Logger): Promise<number> {
  const stop = stopOnSignals((name) => log.info(`${name}: stopping`));
  const state: State = { problem: 'the results have not been read yet', written: 0, due: 0 };
  const { url: address } = await startProbeServer({
    host: settings.HOST,
    port: settings.PORT,
    ready: () => (state.problem === undefined ? [] : [state.problem]),
    registry: createRegistry(state),
    log,
  });
  log.info({ address, topic: settings.RESULTS_TOPIC }, 'started');

  const kafka = kafkaClient(PROGRAM, settings.KAFKA_BOOTSTRAP_SERVERS, access, log);
  const names = [
    settings.RESULTS_TOPIC,
    ...settings.RESULTS_BOARDS.map(({ definition }) => definition.topic),
  ];
  const topics = new Map(names.map((name) => [name, new TopicSlices(kafka, name, PROGRAM)]));
  const backoff = new Backoff(RETRY_MILLIS, LONGEST_RETRY_MILLIS, Math.random);
  while (!stop.aborted) {
    try {
      await follow({ settings, kafka, topics, state, log }, stop);
    } catch (error) {
      if (stop.aborted) break;
      // It had worked until now.
      if (state.problem === undefined) backoff.reset();
      state.problem = (error as Error).message;
      log.warn(`beginning again: ${state.problem}`);
      log.debug(error);
      await sleep(backoff.next(), stop);
    }
  }
  log.info({ written: state.written }, 'stopped');
  return 0;
}

function createRegistry(state: State): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: 'results_written_total',
    help: 'Results that were written',
    registers,
    collect() {
      this.reset();
      this.inc(state.written);
    },
  });
  new Gauge({
    name: 'results_due_seasons',
    help: 'Boards of seasons that are frozen and have no result yet',
    registers,
    collect() {
      this.set(state.due);
    },
  });
  return registry;
}

process.exit(await runProgram({ name: 'the results program', help: HELP, parseSettings, run }));
