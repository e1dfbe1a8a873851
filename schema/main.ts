import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { ApiServer } from '../lib/api-server.ts';
import { startProbeServer } from '../lib/probe-server.ts';
import { runProgram } from '../lib/program.ts';
import { sleep } from '../lib/sleep.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { Finder } from './finder.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';

async function run(settings: Settings, log: Logger): Promise<number> {
  const stop = stopOnSignals((name) => log.info(`${name}: stopping`));
  const api = new ApiServer(settings.KUBERNETES_API_SERVER, settings.KUBERNETES_ACCOUNT);
  const finder = new Finder({ settings, api, log });
  const { url: address } = await startProbeServer({
    host: settings.HOST,
    port: settings.PORT,
    ready: () => (finder.problem === undefined ? [] : [finder.problem]),
    registry: new Registry(),
    log,
  });
  log.info({ address, subject: settings.SCHEMA_SUBJECT }, 'started');
  while (!stop.aborted) await sleep(await finder.advance(stop), stop);
  log.info('stopped');
  return 0;
}

process.exit(await runProgram({ name: 'the schema program', help: HELP, parseSettings, run }));
