import type { KubeConfig } from '@kubernetes/client-node';
import type { Agent } from 'undici';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { toApiError } from '../../operator/kube/errors.ts';
import { findKind } from '../../operator/kube/kinds.ts';
import type { LiveObject, Manifest } from '../../operator/kube/object.ts';
import { apiAgent } from '../cluster/api-agent.ts';

interface ApplyOptions {
  /** Only asks what would come of it. */
  dryRun?: boolean;
}

/** Applies what kubectl would, hundreds of times, without a process each time. */
export class User {
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #token: string | undefined;

  constructor(config: KubeConfig) {
    const { origin, agent } = apiAgent(config, { connections: 8 });
    this.#origin = origin;
    this.#agent = agent;
    this.#token = config.getCurrentUser()?.token;
  }

  /**
   * Applies a GameAnalytics with this spec, and returns it as the API server has it then; throws what it says
   * against it.
   */
  applySpec(namespace: string, name: string, spec: unknown, options: ApplyOptions = {}): Promise<LiveObject> {
    const manifest = { apiVersion: API_VERSION, kind: KIND, metadata: { namespace, name }, spec };
    return this.apply(manifest, options);
  }

  /** As `kubectl apply --server-side --force-conflicts`. */
  async apply(object: Manifest, { dryRun = false }: ApplyOptions = {}): Promise<LiveObject> {
    const query = 'fieldManager=kubectl&force=true&fieldValidation=Strict';
    const { statusCode, body } = await this.#agent.request({
      origin: this.#origin,
      method: 'PATCH',
      path: `${pathOf(object)}?${query}${dryRun ? '&dryRun=All' : ''}`,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/apply-patch+yaml',
      },
      body: JSON.stringify(object),
    });
    const text = await body.text();
    if (statusCode >= 400) throw toApiError(statusCode, text);
    return JSON.parse(text) as LiveObject;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  const { plural } = findKind({ apiVersion, kind });
  return `${root}/${apiVersion}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
}
