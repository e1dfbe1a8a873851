import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startKafka } from '../../local/kafka/broker.ts';
import { type LocalRuntime, startLocalRuntime } from '../../local/local-runtime.ts';

let folder: string;
let runtime: LocalRuntime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gameanalytics-test-'));
  runtime = await startLocalRuntime(folder, () => undefined, new AbortController().signal);
});
afterAll(async () => {
  await runtime?.close();
  await rm(folder, { recursive: true, force: true });
});

it('a Kafka whose data is damaged is not started again and again: its own words are passed on, with what to do', async () => {
  await mkdir(join(folder, 'kafka', 'data'), { recursive: true });
  await writeFile(join(folder, 'kafka', 'data', 'meta.properties'), '');
  const started = startKafka(runtime);
  await expect(started).rejects.toThrow(/^Kafka does not start: \w+Exception.*\n {2}Its log: .*\n.* delete /);
  await expect(started).rejects.toMatchObject({ name: 'UserError' });
});
