import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Ended {
  code: number;
  out: string;
  err: string;
}

const MAIN = resolve('cli/main.ts');

/** Runs the command as a person would, in a folder, to its end; killed when it does not come to one. */
export function gameanalytics(args: string[], cwd = '.'): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [MAIN, ...args], { cwd, timeout: 20_000 }, (_, out, err) =>
      done({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** An empty folder that the test leaves nothing of, with these files. */
export function folder(files: Record<string, string | Buffer>): string {
  const path = mkdtempSync(join(tmpdir(), 'gameanalytics-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

export const VALID = `
apiVersion: gameanalytics.dev/v1alpha1
kind: GameAnalytics
metadata: { name: game }
spec: { kafka: { cluster: games } }
`;

export const MALFORMED = `
apiVersion: gameanalytics.dev/v1alpha1
kind: GameAnalytics
metadata: { name: game }
spec:
  kafka: { cluster: games }
  leaderboards:
    - { name: top, type: TopTeams, size: none }
  dashbord: { replicas: 2 }
`;
