import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LocalRuntime } from '../../local/local-runtime.ts';
import { cacheFolder } from '../../local/process/jars.ts';
import { QUICK_START } from '../../local/process/java.ts';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { until } from '../../local/process/retry.ts';

const VERSION = '3.0.9';
const ARCHIVE = `https://repo.maven.apache.org/maven2/io/apicurio/apicurio-registry-app/${VERSION}/apicurio-registry-app-${VERSION}-all.tar.gz`;
const SHA256 = '2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43';

/** A schema as it is registered; without a type it is Avro. */
export interface Registration {
  schema: object;
  schemaType?: 'AVRO' | 'JSON';
  references?: { name: string; subject: string; version: number }[];
}

/** A real Apicurio Registry, which keeps its schemas in memory. */
export interface SchemaRegistry {
  /** Where it has Confluent's API. */
  url: string;
  /** Registers a schema as the newest of its subject, and returns its id. */
  register(subject: string, registration: Registration): Promise<number>;
}

/** Starts it as a process of the runtime, which ends it. Resolves when it answers. */
export async function startSchemaRegistry(runtime: LocalRuntime): Promise<SchemaRegistry> {
  const folder = await fetchApicurio();
  const port = await freePort();
  runtime.spawn('schema-registry', () => ({
    file: runtime.java,
    args: [...QUICK_START, '-Xmx256m', '-jar', join(folder, `apicurio-registry-app-${VERSION}-runner.jar`)],
    env: { QUARKUS_HTTP_HOST: LOOPBACK, QUARKUS_HTTP_PORT: String(port) },
    cwd: folder,
  }));
  const url = `http://${LOOPBACK}:${port}/apis/ccompat/v7`;
  const answers = async () =>
    fetch(`${url}/subjects`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  await until(answers, { everyMillis: 100, signal: runtime.signal });
  return { url, register: (subject, registration) => register(url, subject, registration) };
}

async function register(url: string, subject: string, registration: Registration): Promise<number> {
  const response = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ ...registration, schema: JSON.stringify(registration.schema) }),
  });
  const answer = (await response.json()) as { id: number };
  if (!response.ok) throw new Error(`${subject}: ${JSON.stringify(answer)}`);
  return answer.id;
}

/** Maven cannot fetch it, because the POM that its own one inherits from was not released. */
async function fetchApicurio(): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `apicurio-registry-${VERSION}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(`${folder}-`);
  try {
    const response = await fetch(ARCHIVE);
    if (!response.ok) throw new Error(`${ARCHIVE}: ${response.status}`);
    const content = Buffer.from(await response.arrayBuffer());
    const sum = createHash('sha256').update(content).digest('hex');
    if (sum !== SHA256) throw new Error(`${ARCHIVE} is not the file that was released: ${sum}`);
    const archive = join(partial, 'archive.tar.gz');
    await writeFile(archive, content);
    await promisify(execFile)('tar', ['-xzf', archive, '-C', partial]);
    await rm(archive);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}
