import type { IncomingMessage } from 'node:http';

/** A call of the API server, read from its method and address. */
export interface Call {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** Plural, as it stands in the path: `kafkatopics`. Empty for what is no resource, as /readyz. */
  resource: string;
  namespace: string | undefined;
  /** Of a POST it is in the body, and so undefined until the body was read. */
  name: string | undefined;
  subresource: string | undefined;
}

/** A call that changes something, with the server's own answer, whatever the caller got. */
export interface Write extends Call {
  /** 201: created. */
  status: number;
}

export function callOf({ method = 'GET', url = '/' }: IncomingMessage): Call {
  const { pathname, searchParams: query } = new URL(url, 'http://proxy');
  const place = placeOf(pathname);
  return { method, path: pathname, query, verb: verbOf(method, query, place.name), ...place };
}

export function isWrite({ verb }: Call): boolean {
  return verb === 'create' || verb === 'update' || verb === 'patch' || verb === 'delete';
}

/** The call with the name that its body gives, as a POST has it nowhere else. */
export function named(call: Call, body: Buffer): Call {
  if (call.method !== 'POST' || call.name) return call;
  return { ...call, name: JSON.parse(body.toString()).metadata?.name };
}

function verbOf(method: string, query: URLSearchParams, name: string | undefined): Call['verb'] {
  if (method === 'POST') return 'create';
  if (method === 'PUT') return 'update';
  if (method === 'PATCH') return 'patch';
  if (method === 'DELETE') return 'delete';
  if (['true', '1'].includes(query.get('watch') ?? '')) return 'watch';
  return name ? 'get' : 'list';
}

function placeOf(path: string): Pick<Call, 'resource' | 'namespace' | 'name' | 'subresource'> {
  const [root, ...rest] = path.split('/').filter(Boolean).map(decodeURIComponent);
  // Behind /api stands a version, behind /apis a group and a version.
  const parts = root === 'api' ? rest.slice(1) : root === 'apis' ? rest.slice(2) : [];
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [resource = '', name, subresource] = isNamespaced ? parts.slice(2) : parts;
  return { resource, namespace: isNamespaced ? parts[1] : undefined, name, subresource };
}
