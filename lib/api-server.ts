import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { text } from './settings.ts';

/** The variables of a program that asks the API server of the cluster that it runs in. */
export const API_SERVER_VARIABLES = {
  KUBERNETES_API_SERVER: text('an address that begins with https://', /^https:\/\//).meta({
    description: 'Kubernetes’ API server, for the status of the resource',
  }),
  KUBERNETES_ACCOUNT: text('a folder')
    .default('/var/run/secrets/kubernetes.io/serviceaccount')
    .meta({ description: 'folder with the token of the account there, and the API server’s ca.crt' }),
};

/** One request to the API server. */
export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  body?: object;
  contentType?: string;
}

/** How long a call may take: what else the program does waits for it. */
const CALL_MILLIS = 5_000;

/**
 * Kubernetes' API server, as the account of a pod may use it. Without Kubernetes' client library, which
 * takes 87 MB: these are a few calls.
 */
export class ApiServer {
  readonly #url: string;
  readonly #account: string;

  /** @param account folder with the account's `token`, and with `ca.crt`, by which it knows the API server */
  constructor(url: string, account: string) {
    this.#url = url;
    this.#account = account;
  }

  /**
   * What a call is answered with.
   *
   * @throws what the API server says when it refuses, or what went wrong on the way to it
   */
  async call(
    { method, path, body, contentType = 'application/json' }: Call,
    signal: AbortSignal,
  ): Promise<unknown> {
    // Read for each call: the kubelet replaces them.
    const [ca, token] = await Promise.all(
      ['ca.crt', 'token'].map((file) => readFile(join(this.#account, file), 'utf8')),
    );
    const sent = request(new URL(path, this.#url), {
      method,
      ca,
      headers: { authorization: `Bearer ${token?.trim()}`, 'content-type': contentType },
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MILLIS)]),
    });
    // Once an answer has begun, reading it fails too; without a listener here, the program would end.
    sent.on('error', () => undefined);
    sent.end(body && JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = (await json(response)) as { message?: string };
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${answer.message}`);
    return answer;
  }
}
