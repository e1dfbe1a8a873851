import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REFUSED_KEYS, refusesKey } from '../../api/flink.ts';
import { fetchJars } from '../../local/process/jars.ts';
import { findJava } from '../../local/process/java.ts';

const run = promisify(execFile);

/** An option of Flink's: the names under which it is read, and whether keys below these are read too. */
interface Option {
  names: string[];
  isMap: boolean;
}

let folder: string;
let options: Option[];

/** The jars of the image, which has those of this machine and one for Kubernetes. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flink-options-'));
  const { flinkLib, flinkOpt } = await fetchJars(() => undefined, new AbortController().signal);
  const pom = await readFile('local/runtime/flink/pom.xml', 'utf8');
  const version = /<flink\.version>(.+)<\/flink\.version>/.exec(pom)?.[1];
  await run('mvn', [
    '-B',
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy',
    `-Dartifact=org.apache.flink:flink-kubernetes:${version}`,
    `-DoutputDirectory=${folder}`,
  ]);
  const classPath = [flinkLib, flinkOpt, folder].map((jars) => join(jars, '*')).join(':');
  const program = 'testkit/pipeline/flink-options/ConfigOptions.java';
  const { stdout } = await run(await findJava(), ['-cp', classPath, program], { maxBuffer: 10_000_000 });
  options = stdout
    .trim()
    .split('\n')
    .map((line) => {
      const words = line.split(' ');
      return { names: words.slice(0, -1), isMap: words.at(-1) === 'true' };
    });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const isRefused = (key: string) => REFUSED_KEYS.some((refused) => refusesKey(refused.key, key));

it('finds Flink’s options, those for Kubernetes too, with their other names', () => {
  expect(options.length).toBeGreaterThan(900);
  expect(options).toContainEqual({
    names: ['high-availability.type', 'recovery.mode', 'high-availability'],
    isMap: false,
  });
  expect(options).toContainEqual({ names: ['kubernetes.secrets'], isMap: true });
});

it('an option is refused under all of its names, or under none', () => {
  const halfRefused = options.filter(({ names }) => names.some(isRefused) && !names.every(isRefused));
  expect(halfRefused).toEqual([]);
});

it('a map that is refused is refused entry by entry too', () => {
  const maps = options
    .filter(({ names, isMap }) => isMap && names.some(isRefused))
    .flatMap(({ names }) => names);
  expect(maps.filter((name) => !isRefused(`${name}.entry`))).toEqual([]);
});

/** What of Flink’s options for Kubernetes may be set: a new version's must be looked at. */
const HARMLESS = [
  'kubernetes.client.io-pool.size',
  'kubernetes.client.user-agent',
  'kubernetes.container.image.pull-policy',
  'kubernetes.container.image.pull-secrets',
  'kubernetes.decorator.hadoop-conf-mount.enabled',
  'kubernetes.decorator.kerberos-mount.enabled',
  'kubernetes.flink.conf.dir',
  'kubernetes.flink.log.dir',
  'kubernetes.jobmanager.cpu.limit-factor',
  'kubernetes.jobmanager.memory.limit-factor',
  'kubernetes.jobmanager.node-selector',
  'kubernetes.jobmanager.replicas',
  'kubernetes.jobmanager.tolerations',
  'kubernetes.node-name-label',
  'kubernetes.persistent-volume-claim-read-only',
  'kubernetes.rest-service.exposed.node-port-address-type',
  'kubernetes.taskmanager.cpu.limit-factor',
  'kubernetes.taskmanager.memory.limit-factor',
  'kubernetes.taskmanager.node-selector',
  'kubernetes.taskmanager.tolerations',
  'kubernetes.transactional-operation.initial-retry-delay',
  'kubernetes.transactional-operation.max-retries',
  'kubernetes.transactional-operation.max-retry-delay',
];

it('of the options for Kubernetes only those that are known to be harmless pass', () => {
  const passing = options
    .flatMap(({ names }) => names)
    .filter((name) => name.startsWith('kubernetes.') && !isRefused(name));
  expect([...new Set(passing)].sort()).toEqual(HARMLESS);
});

/** Of the Flink operator, and of variables for containers: Flink composes their names. */
const UNDECLARED = [
  'job.autoscaler.enabled',
  'kubernetes.operator.job.autoscaler.enabled',
  'containerized.*',
];

it('every key that is refused is one of Flink’s', () => {
  const known = new Set(
    options.flatMap(({ names, isMap }) => (isMap ? names.flatMap((n) => [n, `${n}.entry`]) : names)),
  );
  const unknown = REFUSED_KEYS.filter(({ key }) => ![...known].some((name) => refusesKey(key, name)));
  expect(unknown.map(({ key }) => key)).toEqual(UNDECLARED);
});
