import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isInUse, openStateFolder } from '../../../../local/process/state-folder.ts';

describe('a state folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gameanalytics-state-'));
    onTestFinished(() => rm(folder, { recursive: true }));
  });

  /** How many of several that open it at once get it. They give it back. */
  async function openedBy(count: number): Promise<number> {
    const opened = await Promise.allSettled(Array.from({ length: count }, () => openStateFolder(folder)));
    const unlocks = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const unlock of unlocks) await unlock();
    return unlocks.length;
  }

  it('is refused while another run has it, and free again after that', async () => {
    expect(await isInUse(folder)).toBe(false);
    const unlock = await openStateFolder(folder);
    expect(await isInUse(folder)).toBe(true);
    await expect(openStateFolder(folder)).rejects.toThrow(
      `Another run (process ${process.pid}) uses ${folder}`,
    );
    await unlock();
    expect(await isInUse(folder)).toBe(false);
    await (await openStateFolder(folder))();
    expect(await readdir(folder)).toEqual(['logs']);
  });

  it('is got by one of those who open it at once', async () => {
    for (let round = 0; round < 50; round += 1) expect(await openedBy(4)).toBe(1);
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 30, started: '1' })],
    ['a process whose number another has by now', JSON.stringify({ pid: process.pid, started: '1' })],
    ['nobody that is known', ''],
  ])('is got by one of those who open it at once after %s', async (_, lock) => {
    for (let round = 0; round < 20; round += 1) {
      await writeFile(join(folder, 'run.pid'), lock);
      expect(await openedBy(4)).toBe(1);
      expect(await readdir(folder)).toEqual(['logs']);
    }
  });
});
