import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ObservedProcess } from '../testkit/pipeline/processes.ts';
import { percentile } from './percentile.ts';
import { Viewers } from './viewers/viewers.ts';

/*
 * How many viewers one core serves: the dashboard's server, with four boards that all change twice a second,
 * on a core of its own, and its viewers on another. Measured is how late each frame arrives after the time
 * that the server wrote into it, and what a socket costs in resident memory; then viewers are added until one
 * frame of a hundred is too late.
 *
 *   make bench-viewers
 */

const VIEWERS = 2000;
const STEP = 2000;
const MOST = 16_000;
const LATE_MILLIS = 250;
/** Twice a second: with fewer frames than that, ticks are late themselves. */
const LEAST_FRAMES_PER_SECOND = 1.8;
const WATCH_MILLIS = 5000;
const WARM_UP_VIEWERS = 200;

interface Step {
  viewers: number;
  p50: number;
  p99: number;
  framesPerSecond: number;
  megabytesPerSecond: number;
  coreShare: number;
}

async function main(): Promise<void> {
  const [serverCore, viewersCore] = cores();
  pin(process.pid, viewersCore);
  const server = spawn(
    'taskset',
    ['-c', serverCore, process.execPath, fileURLToPath(new URL('viewers/server.ts', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    await measure(Number(line.toString()), server);
  } finally {
    server.kill();
  }
}

async function measure(port: number, server: ChildProcess): Promise<void> {
  const observed = new ObservedProcess(String(server.pid));
  // Code that was never run, and buffers that were never needed, are no socket's memory.
  const first = new Viewers(port);
  await first.growTo(WARM_UP_VIEWERS);
  await first.watch(WATCH_MILLIS);
  first.close();
  await first.watch(1000);
  const before = observed.residentBytes();

  const viewers = new Viewers(port);
  const target = await step(viewers, observed, VIEWERS);
  const kilobytes = (observed.residentBytes() - before) / 1024 / VIEWERS;
  say(target);
  process.stdout.write(`memory per socket: ${kilobytes.toFixed(1)} KB\n`);
  let ceiling = isInTime(target) ? VIEWERS : 0;
  for (let count = VIEWERS + STEP; ceiling === count - STEP && count <= MOST; count += STEP) {
    const more = await step(viewers, observed, count);
    say(more);
    if (isInTime(more)) ceiling = count;
  }
  viewers.close();
  process.stdout.write(`ceiling: ${ceiling}${ceiling === MOST ? ' or more' : ''} viewers\n`);
}

async function step(viewers: Viewers, observed: ObservedProcess, count: number): Promise<Step> {
  await viewers.growTo(count);
  await viewers.watch(1000);
  const cpuBefore = observed.cpuSeconds();
  const { delays, bytes } = await viewers.watch(WATCH_MILLIS);
  const seconds = WATCH_MILLIS / 1000;
  if (viewers.count < count) throw new Error(`${count - viewers.count} of ${count} viewers were turned out`);
  return {
    viewers: count,
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    framesPerSecond: delays.length / seconds / count,
    megabytesPerSecond: bytes / seconds / 1e6,
    coreShare: (observed.cpuSeconds() - cpuBefore) / seconds,
  };
}

function isInTime({ p99, framesPerSecond }: Step): boolean {
  return p99 <= LATE_MILLIS && framesPerSecond >= LEAST_FRAMES_PER_SECOND;
}

function say({ viewers, p50, p99, framesPerSecond, megabytesPerSecond, coreShare }: Step): void {
  process.stdout.write(
    `${viewers} viewers: p50 ${p50} ms, p99 ${p99} ms, ${framesPerSecond.toFixed(2)} frames/s each, ${megabytesPerSecond.toFixed(0)} MB/s, ${(100 * coreShare).toFixed(0)} % of the core\n`,
  );
}

/** Two cores that this process may use. */
function cores(): [string, string] {
  const list =
    execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' }).split(': ')[1] ?? '';
  const all = list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
  });
  const [one, other] = all;
  if (one === undefined || other === undefined)
    throw new Error('Two cores are needed: one for the server, one for its viewers.');
  return [one, other];
}

function pin(pid: number, core: string): void {
  execFileSync('taskset', ['-acp', core, String(pid)]);
}

await main();
