import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fetchApicurio, hasOwnRegistry, withRegistry } from '../../../local/schema-registry.ts';
import { registrySecrets, registryUrl } from '../../../plan/schema-registry.ts';
import { resource } from '../../../testkit/resources/resource.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'gameanalytics-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await rm(cache, { recursive: true });
});

it.each<[string, () => Promise<Response>, RegExp]>([
  [
    'no network',
    () => Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })),
    /could not be fetched from Maven Central: getaddrinfo ENOTFOUND\. Check the network .*; or name a registry/,
  ],
  [
    'a mirror without it',
    async () => new Response('', { status: 404 }),
    /could not be fetched from Maven Central: HTTP 404\./,
  ],
  [
    'a proxy that answers something else',
    async () => new Response('<html>'),
    /came as another file than was released\. Look at a proxy on the way/,
  ],
])('says what to do with %s, and keeps nothing', async (_, answer, message) => {
  vi.stubGlobal('fetch', answer);
  await expect(fetchApicurio(() => undefined, new AbortController().signal)).rejects.toThrow(message);
  expect(await readdir(join(cache, 'gameanalytics'))).toEqual([]);
});

it('is that of the run if the records are Avro and the resource names none', () => {
  const made = (events: object) => resource({ events });
  expect(hasOwnRegistry(made({}))).toBe(false);
  expect(hasOwnRegistry(made({ format: 'avro-confluent', schemaRegistry: { url: 'http://a' } }))).toBe(false);
  const own = made({ format: 'avro-confluent', schemaRegistry: { secretName: 'sign-in' } });
  expect(hasOwnRegistry(own)).toBe(true);
  const run = withRegistry(own, 'http://127.0.0.1:5');
  expect(registryUrl(run)).toBe('http://127.0.0.1:5');
  expect(registrySecrets(run)).toEqual([]);
});
