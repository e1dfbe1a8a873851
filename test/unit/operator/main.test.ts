import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const MAIN = resolve('operator/main.ts');
const FLAGS = [
  ...['--app-image=app', '--flink-image=flink', '--lease-namespace=system'],
  ...['--host=127.0.0.1', '--port=0'],
];

/** An empty folder that the test leaves nothing of. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gameanalytics-operator-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** The path of a kubeconfig for an API server there. */
function kubeconfig(server: string): string {
  const path = join(folder(), 'config');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Starts the operator with nothing but this in its environment. */
function operator(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { HOME: folder(), ...env } });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.err += text;
  });
  const closed = once(child, 'close');
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Resolves when the operator has logged this. */
    logged: (message: string) => vi.waitUntil(() => said.out.includes(message), 10_000),
    /** What it said until it ended, and how it did. */
    async ended() {
      const [code] = await closed;
      return { code: code as number | null, ...said };
    },
  };
}

/** Every line of a log, parsed: each must be JSON. */
function linesOf(log: string): Record<string, unknown>[] {
  return log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the operator, as a process', () => {
  it('with --help lists its options', async () => {
    const { code, out, err } = await operator(['--port=wrong', '--help']).ended();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('--lease-namespace, LEASE_NAMESPACE');
  });

  it('with wrong settings says what to set, and exits with 2', async () => {
    const { code, out, err } = await operator(['--app-image=app', '--port=http'], {
      FLINK_IMAGE: 'flink',
    }).ended();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      '--lease-namespace, LEASE_NAMESPACE: must be the name of a namespace; it is not set\n' +
        '--port: must be an integer from 0 to 65535, not "http"\n' +
        'See --help.\n',
    );
  });

  it('with a kubeconfig that cannot be read says what to do, and exits with 2', async () => {
    const { code, out, err } = await operator(FLAGS, { KUBECONFIG: '/nonexistent/config' }).ended();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Cannot read the kubeconfig: ENOENT: .+ Set KUBECONFIG to .+\n$/);
  });

  it('whose API server cannot be reached keeps trying, and ends well when told to stop', async () => {
    const process = operator(FLAGS, { KUBECONFIG: kubeconfig(`https://127.0.0.1:${await closedPort()}`) });
    await process.logged('ECONNREFUSED');
    const told = performance.now();
    process.kill('SIGTERM');
    const { code, out, err } = await process.ended();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(performance.now() - told).toBeLessThan(5000);
    const lines = linesOf(out);
    expect(lines[0]).toMatchObject({
      msg: 'starting',
      appImage: 'app',
      server: expect.stringContaining('https://'),
    });
    expect(lines.map(({ msg }) => msg)).toContain('SIGTERM: stopping');
    expect(lines.at(-1)).toMatchObject({ level: 30, msg: 'stopped' });
    expect(out).not.toContain('secret-token');
  });

  it('that cannot begin says why in its last line, and exits with 1', async () => {
    const { port, server } = await openPort();
    onTestFinished(() => {
      server.close();
    });
    const env = { KUBECONFIG: kubeconfig('https://127.0.0.1:1'), PORT: String(port) };
    const { code, out } = await operator(FLAGS.slice(0, -1), env).ended();
    expect(code).toBe(1);
    expect(linesOf(out).at(-1)).toMatchObject({
      level: 60,
      msg: `the operator failed: 127.0.0.1:${port} is in use; set PORT to another`,
    });
  });
});

async function openPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const { server, port } = await openPort();
  server.close();
  await once(server, 'close');
  return port;
}
