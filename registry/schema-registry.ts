import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';

/** A schema registry with Confluent's API. */
export interface SchemaRegistry {
  url: string;
  /**
   * Folder with username and password where the registry asks for them, and ca.crt where no authority that
   * Node knows signs its certificate. It is read at each attempt, so that what is renewed counts.
   */
  folder: string | undefined;
}

/** The registry does not take the schema, and will not until someone changes that. */
export class SchemaRefusedError extends Error {}

const TIMEOUT_MILLIS = 5000;

/**
 * Registers an Avro schema as the newest of a subject, unless it is there, and resolves to its id. Otherwise
 * rejects with what is missing, as words after "waiting for".
 */
export async function registerSchema(
  registry: SchemaRegistry,
  subject: string,
  schema: object,
  stop: AbortSignal,
): Promise<number> {
  const content = { schema: JSON.stringify(schema) };
  const { status, answer, said } = await ask(registry, subject, 'versions', stop, content);
  if (status === 200 && Number.isInteger(answer.id)) return answer.id as number;
  // Only the API itself has error codes: another 409 or 422 is not about the schema.
  if ([409, 422].includes(status) && answer.error_code !== undefined)
    throw new SchemaRefusedError(
      `the schema registry ${registry.url}, which refuses the schema of the events for the subject ${subject} (${said}): set the subject's compatibility to NONE, delete the subject, or write to another topic`,
    );
  throw new Error(`the schema registry ${registry.url}: ${said}`);
}

/** The newest version of a subject. */
export interface LatestSchema {
  version: number;
  /** Undefined: Avro. */
  schemaType: string | undefined;
  schema: string;
}

/**
 * Reads the newest schema of a subject. When there is none, or no answer, rejects with what is missing, as
 * words after "waiting for".
 */
export async function readLatestSchema(
  registry: SchemaRegistry,
  subject: string,
  stop: AbortSignal,
): Promise<LatestSchema> {
  const { status, answer, said } = await ask(registry, subject, 'versions/latest', stop);
  const { version, schema, schemaType, error_code } = answer;
  if (status === 200 && Number.isInteger(version) && typeof schema === 'string')
    return { version: version as number, schema, schemaType };
  if (status === 404 && error_code !== undefined)
    throw new Error(`a schema of the subject ${subject} in the schema registry ${registry.url}`);
  throw new Error(`the schema registry ${registry.url}: ${said}`);
}

interface Answer {
  id?: number;
  version?: number;
  schema?: string;
  schemaType?: string;
  error_code?: number;
  message?: string;
}

/** Sends a request about a subject: with content, a POST. */
async function ask(
  { url, folder }: SchemaRegistry,
  subject: string,
  path: string,
  stop: AbortSignal,
  content?: object,
): Promise<{ status: number; answer: Answer; said: string }> {
  const address = `${url.replace(/\/+$/, '')}/subjects/${encodeURIComponent(subject)}/${path}`;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MILLIS)]);
  const { status, answer } = await send(address, folder, signal, content).catch(({ code, message }) => {
    throw new Error(`the schema registry ${url}: ${message || code}`);
  });
  const said = `HTTP ${status}${answer.message === undefined ? '' : `, ${answer.message}`}`;
  return { status, answer, said };
}

async function send(
  address: string,
  folder: string | undefined,
  signal: AbortSignal,
  content: object | undefined,
): Promise<{ status: number; answer: Answer }> {
  const { ca, authorization } = await readSecrets(folder);
  const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
  try {
    // Redirections are not followed: they could take the password to another host.
    const { statusCode, body } = await request(address, {
      dispatcher,
      method: content ? 'POST' : 'GET',
      headers: {
        'Content-Type': 'application/vnd.schemaregistry.v1+json',
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      ...(content && { body: JSON.stringify(content) }),
      signal,
    });
    return { status: statusCode, answer: parseAnswer(await body.text()) };
  } finally {
    await dispatcher.destroy();
  }
}

function parseAnswer(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer;
  } catch {
    return {};
  }
}

async function readSecrets(folder: string | undefined): Promise<{ ca?: string; authorization?: string }> {
  if (folder === undefined) return {};
  const [username, password = '', ca] = await Promise.all(
    ['username', 'password', 'ca.crt'].map((key) => readKey(join(folder, key))),
  );
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return { ...(ca !== undefined && { ca }), ...(username !== undefined && { authorization }) };
}

/** Without the end of line that an editor leaves. Undefined: the Secret does not have it. */
async function readKey(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.replace(/[\r\n]+$/, ''),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    },
  );
}
