import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../local/process/jars.ts';
import { Reaper } from '../../local/process/reaper.ts';
import { until } from '../../local/process/retry.ts';
import { SupervisedProcess } from '../../local/process/supervisor.ts';
import { temporaryFolder } from '../cluster/temporary-folder.ts';

const run = promisify(execFile);

/**
 * Whether this machine can run an engine of the tests' own; where it cannot, the tests of the images are
 * skipped.
 */
export function canBuildImages(): boolean {
  const found = (program: string) => {
    try {
      return execFileSync('which', [program]).length > 0;
    } catch {
      return false;
    }
  };
  return process.getuid?.() === 0 && ['dockerd', 'docker', 'debootstrap'].every(found);
}

/** A Docker engine of the tests' own, with images and containers that nobody else sees. */
export interface Engine {
  /** What the program prints. It finds the engine by its environment, as tools/build-images does. */
  run(file: string, args: string[], env?: Record<string, string>): Promise<string>;
  docker(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts an engine that writes no firewall rules and makes no bridge: containers use the machine's network,
 * or none.
 */
export async function startEngine(): Promise<Engine> {
  const folder = await temporaryFolder('gameanalytics-engine-');
  const reaper = new Reaper();
  const host = `unix://${join(folder.path, 'sock')}`;
  const daemon = new SupervisedProcess({
    name: 'dockerd',
    command: () => ({
      // With mounts of its own: what it leaves mounted is gone with it, and its folder can be removed.
      file: 'unshare',
      args: [
        '--mount',
        'dockerd',
        '--iptables=false',
        '--bridge=none',
        `--host=${host}`,
        `--data-root=${join(folder.path, 'data')}`,
        `--exec-root=${join(folder.path, 'exec')}`,
        `--pidfile=${join(folder.path, 'pid')}`,
      ],
    }),
    logFile: join(folder.path, 'dockerd.log'),
    reaper,
    report: (sentence) => void process.stderr.write(`  [images] ${sentence}\n`),
  });
  daemon.start();
  const engine: Engine = {
    async run(file, args, env = {}) {
      const options = { env: { ...process.env, ...env, DOCKER_HOST: host }, maxBuffer: 64 * 1024 ** 2 };
      return (await run(file, args, options)).stdout;
    },
    docker: (...args) => engine.run('docker', args),
    async stop() {
      await daemon.stop();
      reaper.close();
      await folder.remove();
    },
  };
  const ready = () => engine.docker('info').catch(() => undefined);
  await until(ready, { everyMillis: 200, signal: AbortSignal.timeout(60_000) });
  return engine;
}

/**
 * The root file system that stands in for base images: made once, which takes a minute, and kept in the
 * user's cache folder.
 */
export async function baseFileSystem(): Promise<string> {
  const folder = cacheFolder();
  const script = await readFile('tools/image-base');
  const version = createHash('sha256').update(script).update(process.version).digest('hex').slice(0, 12);
  const tar = join(folder, `image-base-${version}.tar`);
  if (existsSync(tar)) return tar;
  await mkdir(folder, { recursive: true });
  try {
    await run('tools/image-base', [tar, process.execPath]);
  } finally {
    await rm(`${tar}.partial`, { force: true });
  }
  return tar;
}
