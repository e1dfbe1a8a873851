import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A new folder that is gone when this process is, even when that is killed without a word. */
export async function temporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const remover = spawn('sh', ['-c', SCRIPT, 'sh', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  remover.unref();
  (remover.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      remover.stdin.end();
    },
  };
}

/** Its standard input ends with us. Processes that still write into the folder are about to be killed too. */
const SCRIPT = `
trap '' INT TERM HUP
cat > /dev/null
until rm -rf "$1"; do sleep 0.1; done
`;
