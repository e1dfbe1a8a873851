import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Report } from '../../local/process/report.ts';
import { UserError } from '../../local/process/user-error.ts';

interface Build {
  /** What the program is called. */
  name: string;
  /** Folder of the go.mod that says the versions. */
  folder: string;
  /** Import path of its main package. */
  main: string;
  output: string;
  report: Report;
}

/** Builds a program with the Go on the PATH, which fetches its own newer version when go.mod asks for one. */
export async function goBuild({ name, folder, main, output, report }: Build): Promise<void> {
  report(`building ${name} (once; the first can take some minutes)`);
  const go = spawn(
    'go',
    ['build', '-v', '-trimpath', NO_DEBUGGER, '-ldflags', await linkerFlags(folder), '-o', output, main],
    {
      cwd: folder,
      // The same program on every machine: no C compiler, no settings of the user's own, no version of our
      // repository in it. The compiler is quicker when it seldom collects garbage.
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off', GOGC: '400' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    go.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? noGo() : error));
    go.once('close', resolve);
  });
  ended.catch(() => undefined); // It is awaited below, when all was read.
  const said: string[] = [];
  let packages = 0;
  for await (const line of createInterface({ input: go.stderr })) {
    // -v names each package when it is compiled; downloads and errors are sentences.
    if (/ /.test(line)) said.push(line);
    else if (++packages % PACKAGES_PER_REPORT === 0) report(`building ${name}: ${packages} packages`);
  }
  if ((await ended) !== 0) throw goFailed(name, said);
}

const PACKAGES_PER_REPORT = 200;

/** Tables for debuggers take a seventh of the time to compile. */
const NO_DEBUGGER = '-gcflags=all=-dwarf=false';

/**
 * Without symbols either, which halves a program; and Kubernetes with its version, which its own build
 * scripts would set.
 */
async function linkerFlags(folder: string): Promise<string> {
  const goMod = await readFile(join(folder, 'go.mod'), 'utf8');
  const [, version, major, minor] = /\sk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod) ?? [];
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const set = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-s', '-w', ...(version ? set : [])].join(' ');
}

function noGo(): UserError {
  return new UserError(
    'Go was not found: the tests build a Kubernetes API server with it. Install it (https://go.dev/dl, or Debian: apt install golang), or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager, kubectl and helm, and run this again.',
  );
}

function goFailed(name: string, said: string[]): UserError {
  const errors = said.filter((line) => !line.startsWith('go: downloading'));
  return new UserError(`Go could not build ${name}:\n  ${errors.slice(-5).join('\n  ')}`);
}
