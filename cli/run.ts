import { join } from 'node:path';
import { styleText } from 'node:util';
import { sleep } from '../lib/sleep.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { type Pipeline, startPipeline } from '../local/pipeline.ts';
import { defaultStateFolder } from '../local/process/state-folder.ts';
import { UserError } from '../local/process/user-error.ts';
import { readManifest } from './manifest.ts';
import { statusLine } from './status.ts';
import { Terminal } from './terminal.ts';
import { commandLine, UsageError } from './usage.ts';

const HELP = `gameanalytics run FILE [options]

Runs the whole pipeline of a GameAnalytics manifest on this machine: Kafka, the Flink job, the injector, the dashboard,
the results, and a schema registry if the events are Avro and the manifest names none.
Ctrl-C stops all of it; the next run resumes where this one stopped.

  --state-dir DIR         folder that everything lives under (default: .gameanalytics/<name>)
  --dashboard-port PORT   port of the dashboard (default: any that is free)
  --flink-port PORT       port of Flink's own page (default: any that is free)
  --kafka-port PORT       port of Kafka (default: any that is free)
`;

const OPTIONS = {
  'state-dir': { type: 'string' },
  'dashboard-port': { type: 'string' },
  'flink-port': { type: 'string' },
  'kafka-port': { type: 'string' },
} as const;

const STATUS_MILLIS = 2_000;

export async function run(args: string[]): Promise<void> {
  const line = commandLine(args, HELP, OPTIONS);
  if (!line) return;
  const { values } = line;
  const ports = {
    dashboard: port(values, 'dashboard-port'),
    flink: port(values, 'flink-port'),
    kafka: port(values, 'kafka-port'),
  };
  const resource = await readManifest(line.file);
  if (resource.spec.paused) throw new UserError(`${line.file} says paused: true. Set it to false to run it.`);
  const stateDir = values['state-dir'] ?? defaultStateFolder(resource.metadata.name);
  const terminal = new Terminal(process.stdout);
  const signal = stopOnSignals((name) => terminal.say(`stopping (${name}); once more to stop at once`));

  terminal.say(`starting ${resource.metadata.name} from ${line.file}; its state is in ${stateDir}`);
  const report = (sentence: string) => terminal.say(sentence);
  const pipeline = await startPipeline(resource, { stateDir, ports, report, signal }).catch((error) => {
    // A start that was aborted fails for that reason, and has cleaned up.
    if (!signal.aborted) throw error;
  });
  if (pipeline) {
    terminal.print(addresses(pipeline, stateDir));
    const status = statusLine(pipeline, report);
    while (!signal.aborted) {
      terminal.status(await status());
      await sleep(STATUS_MILLIS, signal);
    }
    await pipeline.stop();
  }
  terminal.status('');
  terminal.say('stopped; the next run resumes from here');
}

function port(values: Record<string, string | undefined>, option: string): number {
  const text = values[option] ?? '0';
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new UsageError(`--${option} takes a port from 1 to 65535, not '${text}'`);
}

function addresses({ services, flink, broker }: Pipeline, stateDir: string): string {
  const rows = [
    ...[...services].map(([name, url]) => [name, url]),
    ['Flink', flink.url],
    ['Kafka', broker.bootstrapServers],
    ['logs', join(stateDir, 'logs')],
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(width)}  ${styleText('bold', value)}`);
  return ['', ...lines, '', 'Ctrl-C stops it.'].join('\n');
}
