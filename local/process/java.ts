import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from './user-error.ts';

const LEAST_VERSION = 17;
const run = promisify(execFile);

/** Path of a Java that can run Kafka and Flink: that of JAVA_HOME, or the one on the PATH. */
export async function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME;
  const java = home ? join(home, 'bin', 'java') : 'java';
  const output = await run(java, ['-version']).catch((error: NodeJS.ErrnoException & { stderr?: string }) => {
    if (error.code === 'ENOENT') return undefined;
    const reason = error.stderr?.trim().split('\n')[0] || error.message;
    throw new UserError(
      `Java (${java}) is there and does not run: ${reason}. Is its memory limited (ulimit -v)? Kafka and Flink take some 3 GB.`,
    );
  });
  const match = output && /version "(?:1\.)?(\d+)/.exec(output.stderr + output.stdout);
  if (!match)
    throw new UserError(
      `No Java was found${home ? ` in JAVA_HOME (${home})` : ' on the PATH'}. Install a JDK ${LEAST_VERSION} or newer (Debian: apt install openjdk-17-jdk-headless), or set JAVA_HOME.`,
    );
  if (Number(match[1]) < LEAST_VERSION)
    throw new UserError(
      `Java ${match[1]} is too old for Kafka and Flink. Install ${LEAST_VERSION} or newer, or point JAVA_HOME at one.`,
    );
  return java;
}

/** For a JVM that soon has done what it is for: compile quickly, not well. */
export const QUICK_START = ['-XX:TieredStopAtLevel=1'];
