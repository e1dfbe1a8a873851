import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/**
 * Under the 90 s after which the API server itself closes an idle connection, so that none is used while it
 * closes.
 */
const KEEP_ALIVE_MILLIS = 30_000;

/** How to know the API server, and how to be known to it. */
type Tls = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;

/** What one request needs in addition to its content. */
export interface Access {
  dispatcher: Dispatcher;
  /** Headers that say who we are. */
  headers: Record<string, string>;
}

/**
 * The way to the API server of a kubeconfig's current context. KubeConfig is asked for each request who we
 * are, because tokens rotate, but its own calls would make a new dispatcher, and thereby a new TLS
 * connection, each time. Here is one, for as long as the CA and the client certificate stay the same.
 */
export class Connection {
  readonly origin: string;
  readonly host: string;
  /** What comes before /api and /apis: a gateway can serve many clusters under one address. */
  readonly basePath: string;
  readonly #config: KubeConfig;
  readonly #proxy: string | undefined;
  #tls: Tls = {};
  #dispatcher: Dispatcher | undefined;

  /**
   * Throws when the kubeconfig has no current cluster, or one that can only be reached in a way we do not
   * know.
   */
  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (!cluster)
      throw new Error(
        'The kubeconfig names no cluster. Choose one of its contexts with: kubectl config use-context NAME',
      );
    if (cluster.proxyUrl && !cluster.proxyUrl.startsWith('http'))
      throw new Error(`The proxy ${cluster.proxyUrl} cannot be used: choose one that speaks HTTP`);
    const { origin, host, pathname } = new URL(cluster.server);
    this.origin = origin;
    this.host = host;
    this.basePath = pathname.replace(/\/$/, '');
    this.#config = config;
    this.#proxy = cluster.proxyUrl;
  }

  /**
   * Reads credentials again where they may have changed: a token file each minute, an exec plugin's when they
   * expire.
   */
  async access(): Promise<Access> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized, servername } = options;
    const tls: Tls = { ca, cert, key, rejectUnauthorized, servername };
    const isSame = (['ca', 'cert', 'key'] as const).every(
      (name) => String(this.#tls[name]) === String(tls[name]),
    );
    if (!this.#dispatcher || !isSame) {
      // Requests that still run on the old one may end as they are.
      void this.#dispatcher?.close();
      this.#tls = tls;
      this.#dispatcher = createDispatcher(tls, this.#proxy);
    }
    return { dispatcher: this.#dispatcher, headers: identityHeaders(options) };
  }

  /** Ends all requests that still run. */
  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }
}

function createDispatcher(tls: Tls, proxy: string | undefined): Dispatcher {
  // HTTP/2 would put all watches and calls on one connection, to be lost together.
  const common = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MILLIS };
  // Where an option is not set, Node has a default; `undefined` is not it.
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  const connect = { ...given, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MILLIS };
  return proxy
    ? new ProxyAgent({ ...common, uri: proxy, requestTls: connect })
    : new Agent({ ...common, connect });
}

function identityHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
  // A token file may end with a newline, which a header may not.
  const given = Object.entries(headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value).trim(),
  ]);
  return { ...basic, ...Object.fromEntries(given) };
}
