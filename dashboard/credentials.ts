import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** There are no credentials to ask for; the message says where they should be. */
export class CredentialsError extends Error {}

/** What a client signs in with: the token, or name and password together. */
export interface Credentials {
  token?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

/** How soon a Secret that was changed counts; the kubelet itself takes up to a minute to write its files. */
const REREAD_MILLIS = 10_000;

/**
 * The credentials in a folder with a file for each (`token`, `username`, `password`), as Kubernetes mounts a
 * Secret.
 *
 * @returns asks for them; they are read again when that was a while ago, and stay when they cannot be
 * @throws CredentialsError when there are none to begin with: a dashboard that was to be closed must not be
 * open
 */
export function watchCredentials(folder: string, now: () => number): () => Credentials {
  return watch(() => readCredentials(folder), now);
}

/** The same of a folder that has a `token`, which alone counts. */
export function watchToken(folder: string, now: () => number): () => Credentials {
  return watch(() => readToken(folder), now);
}

function watch(read: () => Credentials, now: () => number): () => Credentials {
  let credentials = read();
  let readMillis = now();
  return () => {
    if (now() - readMillis < REREAD_MILLIS) return credentials;
    readMillis = now();
    try {
      credentials = read();
    } catch {
      // The old credentials stay valid: half a change must lock no one out, and let no one in.
    }
    return credentials;
  };
}

function readCredentials(folder: string): Credentials {
  const [token, username, password] = ['token', 'username', 'password'].map((key) => readKey(folder, key));
  if (token === undefined && (username === undefined || password === undefined)) {
    throw new CredentialsError(
      `${folder} must have a file token, or username and password, that are not empty`,
    );
  }
  return { token, username, password };
}

function readToken(folder: string): Credentials {
  const token = readKey(folder, 'token');
  if (token === undefined) throw new CredentialsError(`${folder} must have a file token that is not empty`);
  return { token };
}

function readKey(folder: string, key: string): string | undefined {
  try {
    // Without the line's end that editors and `echo` leave.
    return readFileSync(join(folder, key), 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CredentialsError((error as Error).message);
  }
}
