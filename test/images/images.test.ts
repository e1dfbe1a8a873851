import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { OPENED_MODULES } from '../../local/flink/opened-modules.ts';
import { fetchJars } from '../../local/process/jars.ts';
import { QUICK_START } from '../../local/process/java.ts';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { until } from '../../local/process/retry.ts';
import type { Deployment } from '../../plan/objects.ts';
import { type TemporaryFolder, temporaryFolder } from '../../testkit/cluster/temporary-folder.ts';
import { baseFileSystem, canBuildImages, type Engine, startEngine } from '../../testkit/images/engine.ts';

const run = promisify(execFile);

const APP = 'gameanalytics/app:0.1.0';
const FLINK = 'gameanalytics/flink:0.1.0';
/** As Kubernetes runs our pods, or stricter: any user, nothing to write to, no rights. */
const CONFINED = [
  '--read-only',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--user=48213:53907',
  '--rm',
];

let engine: Engine;
let folder: TemporaryFolder;

describe.runIf(canBuildImages())('the images', () => {
  beforeAll(async () => {
    folder = await temporaryFolder('gameanalytics-images-');
    engine = await startEngine();
    await importBases();
    await build();
  }, 600_000);

  afterAll(async () => {
    await engine?.stop();
    await folder?.remove();
  });

  it('say what they are and of which commit, and do not run as root', async () => {
    for (const image of [APP, FLINK]) {
      const [{ Config: config }] = JSON.parse(await engine.docker('inspect', image));
      expect(config.Labels).toMatchObject({
        'org.opencontainers.image.version': '0.1.0',
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
        'org.opencontainers.image.created': expect.stringMatching(/^20\d\d-.*Z$/),
      });
      expect(config.User).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    }
  });

  it('are the same, byte for byte, when they are built again from nothing: ours', async () => {
    const layers = () => engine.docker('inspect', '--format={{json .RootFS.Layers}}', APP);
    const before = await layers();
    await build(['--no-cache'], 'app');
    expect(await layers()).toBe(before);
  });

  it('have of npm what production needs, and nothing that only tests install', async () => {
    const names = await engine.docker('run', ...CONFINED, APP, 'ls', 'node_modules');
    expect(names.split('\n')).toEqual(expect.arrayContaining(['fastify', 'kafkajs', 'undici', 'zod']));
    expect(names).not.toMatch(/vitest|typescript|playwright/);
  });

  it.each(['operator', 'injector', 'dashboard', 'results', 'history', 'schema'])(
    'have the command %s',
    async (command) => {
      expect(await engine.docker('run', ...CONFINED, APP, command, '--help')).toMatch(/KAFKA|Usage/);
    },
  );

  it('say which commands there are', async () => {
    await expect(engine.docker('run', ...CONFINED, APP)).rejects.toThrow(
      'operator, injector, dashboard, results, history or schema',
    );
  });

  it.each(['arcade-injector', 'arcade-dashboard'])(
    'run %s as its Deployment has it, and end it in order when told to',
    async (name) => {
      const { command, env } = (await deployment('test/golden/arcade.yaml', name)).spec.template.spec
        .containers[0];
      const port = await freePort();
      // There is no Kafka: both serve their probes all the same, and wait for one.
      const changed = { HOST: LOOPBACK, PORT: String(port), KAFKA_BOOTSTRAP_SERVERS: `${LOOPBACK}:1` };
      const variables = { ...Object.fromEntries(env.map(({ name, value }) => [name, value])), ...changed };
      const flags = Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`);
      const [file = '', ...args] = command;
      const confined = CONFINED.filter((flag) => flag !== '--rm');
      const run = ['--detach', '--network=host', `--name=${name}`, `--entrypoint=${file}`];
      await engine.docker('run', ...run, ...confined, ...flags, APP, ...args);
      const alive = async () =>
        (await fetch(`http://${LOOPBACK}:${port}/healthz`).catch(() => undefined))?.status;
      expect(await until(alive, { everyMillis: 200, signal: AbortSignal.timeout(30_000) })).toBe(200);
      await engine.docker('stop', name);
      expect(await engine.docker('inspect', '--format={{.State.ExitCode}}', name)).toBe('0\n');
    },
  );

  it('run the operator as its chart has it, which says that it finds no cluster', async () => {
    const { command, env } = (await deployment('test/golden/chart/default.yaml', 'gameanalytics-operator'))
      .spec.template.spec.containers[0];
    const flags = env.map(({ name, value }) => `--env=${name}=${value}`);
    const [file = '', ...args] = command;
    const run = engine.docker('run', ...CONFINED, `--entrypoint=${file}`, ...flags, APP, ...args);
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/kubeconfig/i) });
  });

  it('have Flink’s connector, its zstd codec and the format for Avro, which are the verified ones and which any user can read', async () => {
    const all = await readFile('local/runtime/flink/SHA256SUMS', 'utf8');
    const own = all.split('\n').filter((line) => /flink-sql-connector-kafka|zstd-jni/.test(line));
    const avro = await readFile('local/runtime/flink-avro/SHA256SUMS', 'utf8');
    const sums = `--env=SUMS=${own.join('\n')}\n${avro.trim()}`;
    const check =
      'cd /opt/flink/lib && echo "$SUMS" | sha256sum --check && cksum flink-registry-avro-*.jar && ls /opt/flink/opt';
    const said = await engine.docker('run', ...CONFINED, sums, '--entrypoint=sh', FLINK, '-c', check);
    expect(said).toContain('flink-sql-connector-kafka-5.0.0-2.2.jar: OK');
    expect(said).toContain('zstd-jni-1.5.6-10.jar: OK');
    expect(said).toContain('avro-1.12.2.jar: OK');
    expect(said.match(/flink-sql-gateway/g)).toHaveLength(1);
  });

  it('plan the whole SQL of a pipeline in Flink, and start its job', async () => {
    const script = await readFile('test/golden/minimal.sql', 'utf8');
    const [rest, rpc, blob] = [await freePort(), await freePort(), await freePort()];
    const configuration = {
      'rest.address': LOOPBACK,
      'rest.bind-address': LOOPBACK,
      'rest.port': rest,
      'jobmanager.rpc.address': LOOPBACK,
      'jobmanager.rpc.port': rpc,
      'blob.server.port': blob,
      // As the plan has it: without Kafka the job fails, and is started again.
      'restart-strategy.type': 'exponential-delay',
    };
    const settings = Object.entries(configuration).flatMap(([key, value]) => ['-D', `${key}=${value}`]);
    const main = 'org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint';
    const driver = 'org.apache.flink.table.runtime.application.SqlDriver';
    await engine.docker(
      'run',
      ...['--detach', '--network=host', '--tmpfs=/tmp', '--env=FLINK_OPT_DIR=/opt/flink/opt'],
      ...CONFINED,
      ...['--entrypoint=sh', FLINK, '-c', 'touch /tmp/config.yaml; exec java "$@"', 'java'],
      ...['-Xmx448m', ...QUICK_START, ...OPENED_MODULES, '-cp', '/opt/flink/lib/*'],
      ...[main, '--configDir', '/tmp', ...settings],
      ...['-D', 'execution.target=embedded', '--job-classname', driver, '--script', script],
    );
    const job = async () => {
      const response = await fetch(`http://${LOOPBACK}:${rest}/jobs/overview`).catch(() => undefined);
      const { jobs = [] } = response?.ok ? ((await response.json()) as { jobs?: { state: string }[] }) : {};
      return jobs[0]?.state;
    };
    // There is no TaskManager and no Kafka, so it can only wait for them.
    const state = await until(job, { everyMillis: 500, signal: AbortSignal.timeout(180_000) });
    expect(['CREATED', 'RUNNING', 'RESTARTING', 'INITIALIZING']).toContain(state);
  });

  it('are not built on a Flink whose SQL gateway is ambiguous', async () => {
    await baseWith(
      'ambiguous',
      'RUN cp /opt/flink/opt/flink-sql-gateway-2.3.0.jar /opt/flink/opt/flink-sql-gateway-2.2.0.jar',
    );
    const flink = ['--file=images/flink/Dockerfile', '--build-arg=FLINK_IMAGE=ambiguous'];
    const built = engine.docker('build', '--network=host', '--build-arg=MAVEN_IMAGE=base', ...flink, '.');
    // One builder says it on standard output, another on standard error.
    const said = await built.catch(({ stdout, stderr }) => stdout + stderr);
    expect(said).toContain('exactly one /opt/flink/opt/flink-sql-gateway-');
  });
});

/** Builds both, or those that are named, as a user does, on the bases that stand in. */
async function build(flags: string[] = [], ...images: string[]): Promise<void> {
  const bases = ['NODE_IMAGE=base', 'MAVEN_IMAGE=base', 'FLINK_IMAGE=flink'];
  const all = [...flags, '--network=host', ...bases.map((base) => `--build-arg=${base}`)];
  await engine.run('tools/build-images', images, { ENGINE: 'docker', BUILD_FLAGS: all.join(' ') });
}

/**
 * The images `base`, a small Debian with Node and Maven, and `flink`, with Flink’s jars where the official
 * image has them.
 */
async function importBases(): Promise<void> {
  await engine.docker('import', await baseFileSystem(), 'file-system');
  const jars = await fetchJars(() => undefined, AbortSignal.timeout(300_000));
  const context = join(folder.path, 'flink');
  await mkdir(context);
  await cp(jars.flinkLib, join(context, 'lib'), { recursive: true });
  await cp(jars.flinkOpt, join(context, 'opt'), { recursive: true });
  // The official image has the planner behind a loader; on this machine it is on the class path.
  await run('mvn', [
    '--batch-mode',
    '--strict-checksums',
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy',
    '-Dartifact=org.apache.flink:flink-table-planner-loader:2.3.0',
    `-DoutputDirectory=${join(context, 'lib')}`,
  ]);
  await writeFile(
    join(context, 'Dockerfile.base'),
    [
      'FROM file-system',
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
      'RUN update-ca-certificates && dpkg-reconfigure -f noninteractive ca-certificates-java',
    ].join('\n'),
  );
  await engine.docker('build', '--tag=base', `--file=${join(context, 'Dockerfile.base')}`, context);
  await writeFile(
    join(context, 'Dockerfile'),
    [
      'FROM base',
      'COPY lib /opt/flink/lib',
      'COPY opt /opt/flink/opt',
      // The connector and its codec come with our image; of S3’s plugin only the name matters here.
      'RUN cd /opt/flink/lib && rm flink-sql-connector-kafka-*.jar zstd-jni-*.jar && touch /opt/flink/opt/flink-s3-fs-presto-2.3.0.jar',
      'RUN cd /opt/flink/lib && rm flink-table-planner_*.jar flink-table-api-scala_*.jar scala-*.jar janino-*.jar commons-compiler-*.jar',
    ].join('\n'),
  );
  await engine.docker('build', '--tag=flink', context);
}

async function baseWith(name: string, line: string): Promise<void> {
  const context = join(folder.path, name);
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), `FROM flink\n${line}\n`);
  await engine.docker('build', `--tag=${name}`, context);
}

async function deployment(file: string, name: string): Promise<Deployment> {
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  const objects = documents.map((document) => document.toJS() as Deployment);
  const found = objects.find((object) => object.kind === 'Deployment' && object.metadata.name === name);
  if (!found) throw new Error(`${file} has no Deployment ${name}`);
  return found;
}
