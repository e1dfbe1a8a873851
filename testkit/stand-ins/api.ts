import type { KubeConfig } from '@kubernetes/client-node';
import type { Agent, Dispatcher } from 'undici';
import { toApiError } from '../../operator/kube/errors.ts';
import { findKind } from '../../operator/kube/kinds.ts';
import type { LiveObject, Manifest } from '../../operator/kube/object.ts';
import { apiAgent } from '../cluster/api-agent.ts';

const LIMITS = {
  // More at a time would not be quicker on a small machine, and a thousand waiting writes must not be a
  // thousand sockets.
  connections: 8,
  // An API server that is away must not keep anyone from stopping.
  headersTimeout: 10_000,
  bodyTimeout: 10_000,
};

/** An object as controllers see it: with what the operator itself has no business with. */
export interface Controlled extends LiveObject {
  metadata: LiveObject['metadata'] & { finalizers?: string[] };
}

/**
 * What a controller writes, under its own name. The operator's client writes under the operator's, and leaves
 * statuses of others and finalizers alone. The kubeconfig's user must be known by its token.
 */
export class ControllerApi {
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #token: string | undefined;
  readonly #fieldManager: string;

  constructor(config: KubeConfig, fieldManager: string) {
    const { origin, agent } = apiAgent(config, LIMITS);
    this.#origin = origin;
    this.#agent = agent;
    this.#token = config.getCurrentUser()?.token;
    this.#fieldManager = fieldManager;
  }

  /** The object as it is now; undefined when it is gone. */
  async get<T extends LiveObject>(place: Manifest): Promise<T | undefined> {
    const response = await this.#send('GET', pathOf(place));
    if (response.statusCode !== 404) return read<T>(response);
    await response.body.dump();
    return undefined;
  }

  /** Puts the whole status in place of the old one. It needs no version: nobody else writes it. */
  async replaceStatus<T extends LiveObject>(object: T, status: unknown): Promise<T> {
    const patch = [{ op: 'add', path: '/status', value: status }];
    return read<T>(
      await this.#send('PATCH', `${pathOf(object)}/status`, patch, 'application/json-patch+json'),
    );
  }

  /** Sets the finalizers of this very version of the object; a 409 when there is a newer one. */
  async setFinalizers<T extends Controlled>(object: T, finalizers: string[]): Promise<T> {
    const { resourceVersion } = object.metadata;
    const patch = { metadata: { resourceVersion, finalizers } };
    return read<T>(await this.#send('PATCH', pathOf(object), patch, 'application/merge-patch+json'));
  }

  /** Creates the object, or makes it, or its status, what the manifest says. */
  async apply(object: Manifest, subresource?: 'status'): Promise<LiveObject> {
    const path = `${pathOf(object)}${subresource ? `/${subresource}` : ''}?force=true`;
    return read(await this.#send('PATCH', path, object, 'application/apply-patch+yaml'));
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #send(
    method: 'GET' | 'PATCH',
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<Dispatcher.ResponseData> {
    const manager = `fieldManager=${this.#fieldManager}`;
    return this.#agent.request({
      origin: this.#origin,
      method,
      path: method === 'GET' ? path : `${path}${path.includes('?') ? '&' : '?'}${manager}`,
      headers: {
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...(type && { 'content-type': type }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }
}

/** Writes no status: it is in the object that is returned, and the caller writes it last. */
export class DraftingApi extends ControllerApi {
  override async replaceStatus<T extends LiveObject>(object: T, status: unknown): Promise<T> {
    return { ...object, status };
  }
}

async function read<T extends LiveObject>({ statusCode, body }: Dispatcher.ResponseData): Promise<T> {
  const text = await body.text();
  if (statusCode >= 400) throw toApiError(statusCode, text);
  return JSON.parse(text) as T;
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  const { plural } = findKind({ apiVersion, kind });
  return `${root}/${apiVersion}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
}
