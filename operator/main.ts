import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { KubeConfigError, loadKubeConfig } from './kubeconfig.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { runOperator } from './operator.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';

async function main(args: string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const parsed = parseSettings(args, process.env, `${hostname()}_${randomBytes(4).toString('hex')}`);
  if ('problems' in parsed) return refuse([...parsed.problems, 'See --help.']);
  try {
    return await run(parsed.settings);
  } catch (error) {
    if (error instanceof KubeConfigError) return refuse([error.message]);
    throw error;
  }
}

async function run(settings: Settings): Promise<number> {
  const config = loadKubeConfig();
  const log = createLog(settings.logLevel);
  const server = config.getCurrentCluster()?.server;
  log.info({ server, ...settings }, 'starting');
  try {
    const signal = stopOnSignals((name) => log.info(`${name}: stopping`));
    await runOperator(settings, { config, log, metrics: createMetrics(), signal });
    log.info('stopped');
    return 0;
  } catch (error) {
    log.fatal({ err: error }, `the operator failed: ${(error as Error).message}`);
    return 1;
  }
}

function refuse(sentences: string[]): number {
  process.stderr.write(`${sentences.join('\n')}\n`);
  return 2;
}

process.exit(await main(process.argv.slice(2)));
