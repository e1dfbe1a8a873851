import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepOnly, newestSnapshot } from '../../../../local/flink/snapshots.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapshots-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function snapshot(path: string, seconds: number, file = '_metadata'): Promise<void> {
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, file), '');
  await utimes(join(folder, path, file), seconds, seconds);
}

describe('the newest snapshot', () => {
  it('is the newest one that is whole, however deep', async () => {
    await snapshot('job/chk-1', 100);
    await snapshot('savepoints/savepoint-2', 300);
    await snapshot('job/chk-3', 200);
    await snapshot('job/chk-4', 400, 'state');
    expect(await newestSnapshot(folder)).toBe(join(folder, 'savepoints/savepoint-2'));
  });

  it('is none in a folder without a whole one, or that is not there', async () => {
    await snapshot('job/chk-4', 400, 'state');
    expect(await newestSnapshot(folder)).toBeUndefined();
    expect(await newestSnapshot(join(folder, 'none'))).toBeUndefined();
  });
});

describe('keeping only one', () => {
  it('removes all but what leads to it, and the state that it shares', async () => {
    await snapshot('a/chk-1', 100);
    await snapshot('a/shared', 100, 'state');
    await snapshot('ab/chk-1', 100);
    await keepOnly(folder, join(folder, 'a/chk-1'));
    expect(await readdir(folder)).toEqual(['a']);
    expect((await readdir(join(folder, 'a'))).sort()).toEqual(['chk-1', 'shared']);
  });

  it('empties a folder when nothing is kept, and makes one that is not there', async () => {
    await snapshot('a/chk-1', 100);
    await keepOnly(folder, undefined);
    expect(await readdir(folder)).toEqual([]);
    await keepOnly(join(folder, 'new'), undefined);
    expect(await readdir(join(folder, 'new'))).toEqual([]);
  });
});
