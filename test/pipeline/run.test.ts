import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readManifest } from '../../cli/manifest.ts';
import { expectBoardsToEqualOracle } from '../../testkit/oracle/boards.ts';
import type { EventRecord } from '../../testkit/oracle/oracle.ts';
import { kafkaClient, readTopic } from '../../testkit/pipeline/topic.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const ARCADE = 'examples/arcade.yaml';
/** The same game, whose events are Avro. */
const AVRO = 'examples/avro.yaml';

/** The runs of one state folder; each test continues where the one before ended. */
describe('gameanalytics run', () => {
  let folder: string;
  let run: ChildProcess | undefined;
  let output = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gameanalytics-run-'));
  });
  afterAll(async () => {
    run?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  function start(manifest: string): void {
    run?.kill('SIGKILL');
    output = '';
    const command = ['cli/main.ts', 'run', manifest, '--state-dir', join(folder, 'state')];
    const child = spawn(process.execPath, command, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
    run = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
  }

  /** The dashboard's address, once it is printed. */
  async function dashboard(): Promise<string> {
    for (;;) {
      const [, url] = /-dashboard\s+\S*(http:\/\/127\.0\.0\.1:\d+)/.exec(output) ?? [];
      if (url) return url;
      if (run?.exitCode !== null) throw new Error(`it ended: ${output}`);
      await sleep(250);
    }
  }

  async function rows(url: string, board: string): Promise<{ total_score?: number }[]> {
    const response = await fetch(`${url}/api/boards/${board}`);
    return ((await response.json()) as { rows: { total_score?: number }[] }).rows;
  }

  async function filled(url: string): Promise<void> {
    for (const board of ['top-teams', 'top-players', 'hot-streakers', 'team-mvps'])
      while ((await rows(url, board)).length < 10) await sleep(250);
  }

  async function exit(signal: NodeJS.Signals): Promise<number | null> {
    const exited = once(run as ChildProcess, 'exit');
    run?.kill(signal);
    return (await exited)[0];
  }

  /** Processes that work in our state folder. */
  function processes(): string[] {
    const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
    return all.filter((line) => line.includes(folder) && !line.includes('cli/main.ts'));
  }

  it('fills four boards of Avro; Ctrl-C ends everything; the next run continues with the same events', async () => {
    start(AVRO);
    await filled(await dashboard());
    expect(await exit('SIGINT')).toBe(0);
    expect(output).toContain('stopped; the next run resumes from here');
    expect(processes()).toEqual([]);

    start(AVRO);
    await filled(await dashboard());
    expect(output).toContain('Flink restores the state it had');
    await expectSeasonsToEqualOracle();

    // All of both runs can be read: the registry has kept its schemas.
    const statements =
      "SELECT 'read' AS what, COUNT(*) AS events FROM valid_events; SELECT * FROM hot_streakers; SELECT teem FROM events";
    const { code, stdout, stderr } = await command(
      'sql',
      AVRO,
      ...['--state-dir', join(folder, 'state'), '-e', statements],
    );
    const [, events] =
      /^what +\| events *\n-+\+-+\nread +\| +(\d+)\n\(1 row\)\nas_of +\| rnk \|/.exec(stdout) ?? [];
    expect(Number(events)).toBeGreaterThanOrEqual(written);
    expect(stdout).toMatch(/\n\(10 rows\)\n$/);
    expect(stderr).toContain("line 1, column 8: Column 'teem' not found in any table\n");
    expect(code).toBe(1);

    await expectColumnsOfSchema();
    expect(await exit('SIGTERM')).toBe(0);
    expect(processes()).toEqual([]);
  });

  /** How many events the topic had when it was compared with the boards. */
  let written = 0;

  /** The injector stands still meanwhile, and the run too, which would start it again. */
  async function expectSeasonsToEqualOracle(): Promise<void> {
    const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(run?.pid)], {
      encoding: 'utf8',
    });
    const injector = Number(/^ *(\d+) .*injector\/main\.ts$/m.exec(children)?.[1]);
    run?.kill('SIGSTOP');
    process.kill(injector, 'SIGSTOP');
    try {
      const { spec, ...resource } = await readManifest(AVRO);
      const leaderboards = spec.leaderboards.filter(({ type }) => type !== 'HotStreakers');
      const [, servers = ''] = /Kafka is ready on (\S+)/.exec(output) ?? [];
      const kafka = kafkaClient(servers);
      const decode = await avroDecoder(await readTopic(kafka, 'avro-arcade-user-score', 'latin1'));
      const made = { ...resource, spec: { ...spec, leaderboards } };
      await expectBoardsToEqualOracle(kafka, made, Date.now(), { decode, encoding: 'latin1' });
    } finally {
      process.kill(injector, 'SIGCONT');
      run?.kill('SIGCONT');
    }
  }

  /** Decodes records with another library than ours, by the schemas in the registry of the run. */
  async function avroDecoder(
    records: { value: string | null }[],
  ): Promise<(records: EventRecord[]) => EventRecord[]> {
    const url = registryUrl();
    const bytes = (value: string | null) => Buffer.from(value ?? '', 'latin1');
    const ids = new Set(records.map(({ value }) => bytes(value).readInt32BE(1)));
    const types = new Map<number, avro.Type>();
    for (const id of ids) {
      const { schema } = (await (await fetch(`${url}/schemas/ids/${id}`)).json()) as { schema: string };
      types.set(id, avro.Type.forSchema(JSON.parse(schema)));
    }
    written = records.length;
    return (all) =>
      all.map(({ value, producedAt }) => ({
        value: JSON.stringify(types.get(bytes(value).readInt32BE(1))?.fromBuffer(bytes(value).subarray(5))),
        producedAt,
      }));
  }

  /** Who leaves the columns to the registry, and has the SQL planned, learns which there are. */
  async function expectColumnsOfSchema(): Promise<void> {
    const { metadata, spec, ...kind } = parse(await readFile(AVRO, 'utf8'));
    const topic = 'avro-arcade-user-score';
    const events = { ...spec.events, topic, schemaRegistry: { url: registryUrl() } };
    const leaderboards = [{ name: 'top', type: 'TopPlayers', by: 'event_type' }];
    const manifest = join(folder, 'own.yaml');
    const own = { ...kind, metadata: { name: 'own' }, spec: { kafka: spec.kafka, events, leaderboards } };
    await writeFile(manifest, JSON.stringify(own));
    const { code, stdout, stderr } = await command('validate', '--sql', manifest);
    expect(stderr).toMatch(
      new RegExp(`columns from ${topic}-value version \\d+: (.*, )?event_type STRING(,|$)`, 'm'),
    );
    expect(stdout).toBe(`${manifest} is valid: own with the leaderboards top\n`);
    expect(code).toBe(0);
  }

  /** Of the registry that the run has started. */
  function registryUrl(): string {
    const [, url = ''] = /a schema registry \(Apicurio\) is ready: (\S+)/.exec(output) ?? [];
    return url;
  }

  async function command(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return promisify(execFile)(process.execPath, ['cli/main.ts', ...words], { cwd: PROJECT }).then(
      (ended) => ({ code: 0, ...ended }),
      (error) => error,
    );
  }

  it('says so and starts nothing when a port is taken or the state folder is in use', async () => {
    start(ARCADE);
    while (!output.includes('Kafka is ready on')) await sleep(100);
    const [, port = ''] = /Kafka is ready on 127\.0\.0\.1:(\d+)/.exec(output) ?? [];
    expect(tryToRun(join(folder, 'other'), '--kafka-port', port)).toContain(`Port ${port} is in use`);
    expect(tryToRun(join(folder, 'state'))).toMatch(/Another run \(process \d+\) uses/);
  });

  it('leaves no process behind when it is killed without a word', async () => {
    await dashboard();
    expect(processes().length).toBeGreaterThanOrEqual(3);
    await exit('SIGKILL');
    const deadline = Date.now() + 10_000;
    while (processes().length > 0 && Date.now() < deadline) await sleep(100);
    expect(processes()).toEqual([]);
  });

  it.each([
    ['Java', 'No Java was found'],
    ['Maven', 'Maven was not found'],
  ])('says what to install when there is no %s', async (missing, sentence) => {
    const path = join(folder, `without-${missing}`);
    const env = {
      PATH: `${path}/bin`,
      XDG_CACHE_HOME: path,
      HOME: path,
      ...(missing === 'Maven' && { JAVA_HOME: javaHome() }),
    };
    expect(tryToRunWith(env, join(folder, `none-${missing}`))).toContain(sentence);
  });

  /** What a run that fails says; it must fail with 1 and without a stack trace. */
  function tryToRun(stateDir: string, ...args: string[]): string {
    return tryToRunWith(process.env, stateDir, ...args);
  }

  function tryToRunWith(env: NodeJS.ProcessEnv, stateDir: string, ...args: string[]): string {
    try {
      execFileSync(process.execPath, ['cli/main.ts', 'run', ARCADE, '--state-dir', stateDir, ...args], {
        cwd: PROJECT,
        env,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      expect(status).toBe(1);
      expect(stderr).not.toMatch(/^\s+at /m);
      return stderr;
    }
    throw new Error('it did not fail');
  }
});

function javaHome(): string {
  const { stderr } = spawnSync('java', ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
  return /java\.home = (.*)/.exec(stderr)?.[1] ?? '';
}
