import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ensures that no child outlives this process, even when it is killed: a shell in its own session holds the
 * list of process groups and, when its standard input ends because we are gone, kills those that are left.
 */
export class Reaper {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?: () => void })?.unref?.();
  }

  /** From now on the group dies with us. */
  add(group: number): void {
    this.#shell.stdin?.write(`add ${group}\n`);
  }

  /** The group is gone; its number may come to stand for another. */
  remove(group: number): void {
    this.#shell.stdin?.write(`remove ${group}\n`);
  }

  /** Lets the shell go; what is still on its list is killed. */
  close(): void {
    this.#shell.stdin?.end();
  }
}

const SCRIPT = `
trap '' INT TERM HUP
groups=' '
while read -r word group; do
  case $word in
    add) groups="$groups$group " ;;
    remove) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
`;
