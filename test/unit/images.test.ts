import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const read = (file: string) => readFile(file, 'utf8');

it('the image has the Node that runs everything here', async () => {
  const { dependencies } = JSON.parse(await read('package.json'));
  expect(await read('images/app/Dockerfile')).toContain(`ARG NODE_IMAGE=node:${dependencies.node}-`);
});

it('the Flink image has the jars’ versions with which pipelines run locally, and their checksums', async () => {
  const pom = await read('local/runtime/flink/pom.xml');
  const version = (pattern: RegExp) => pattern.exec(pom)?.[1];
  const flink = version(/<flink\.version>([^<]+)</);
  const sums = await read('local/runtime/flink/SHA256SUMS');
  for (const artifact of ['flink-sql-connector-kafka', 'zstd-jni']) {
    const jar = `${artifact}-${version(new RegExp(`${artifact}</artifactId><version>([^<]+)<`))}.jar`;
    expect(sums).toMatch(new RegExp(`^[0-9a-f]{64} {2}${jar}$`, 'm'));
  }
  const dockerfile = await read('images/flink/Dockerfile');
  expect(dockerfile).toContain(`ARG FLINK_IMAGE=flink:${flink}-`);
  expect(dockerfile).toContain(`lib/flink-table-runtime-${flink}.jar`);
});

it('the bill of materials has each npm package of the image by its checksum, and none that only tests install', async () => {
  const { stdout } = await promisify(execFile)('make', ['--silent', 'sbom'], { maxBuffer: 10_000_000 });
  const { bomFormat, components } = JSON.parse(stdout) as Sbom;
  expect(bomFormat).toBe('CycloneDX');
  const { packages } = JSON.parse(await read('package-lock.json')) as Lock;
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path && !dev);
  expect(components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(
    [
      ...new Set(shipped.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`)),
    ].sort(),
  );
  expect(components.filter(({ hashes = [] }) => hashes[0]?.alg !== 'SHA-512')).toEqual([]);
});

interface Sbom {
  bomFormat: string;
  components: { name: string; version: string; hashes?: { alg: string }[] }[];
}

interface Lock {
  packages: Record<string, { version: string; dev?: boolean }>;
}
