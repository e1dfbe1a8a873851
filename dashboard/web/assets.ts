import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { compress, type Encoding, encodingFor } from './compress.ts';

/*
 * The page's files, held in memory. Their names carry a hash of their content, so browsers keep them forever
 * and still get a new version the moment there is one. htmx comes from node_modules: no CDN, no build step.
 */

interface Asset {
  /** From the root of the dashboard, so that the dashboard works under any base path. */
  url: string;
  type: string;
  body: Buffer;
  /** The body by encoding, compressed once. */
  encoded: Record<Encoding, Buffer>;
}

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

const read = (file: URL | string) => readFileSync(file, 'utf8');
const own = (file: string) => read(new URL(`../static/${file}`, import.meta.url));
const installed = (file: string) => read(createRequire(import.meta.url).resolve(file));

const search = createAsset('search.js', own('search.js'));

const assets = {
  style: createAsset('dashboard.css', own('dashboard.css')),
  search,
  // It imports the search by the name of its file, and the browser has that under its name with the hash.
  script: createAsset('dashboard.js', own('dashboard.js').replace('search.js', basename(search.url))),
  icon: createAsset('icon.svg', own('icon.svg')),
  // One file: htmx starts on its own as soon as it is there, and must not start without its extension.
  htmx: createAsset(
    'htmx.js',
    `${installed('htmx.org/dist/htmx.min.js')}\n${installed('htmx.org/dist/ext/hx-ws.min.js')}`,
  ),
};

/** The assets' URLs, by the names the page template uses. */
export const assetUrls: Record<string, string> = Object.fromEntries(
  Object.entries(assets).map(([name, { url }]) => [name, url]),
);

/** Serves the assets. */
export async function assetRoutes(app: FastifyInstance): Promise<void> {
  for (const { url, type, body, encoded } of Object.values(assets)) {
    app.get(`/${url}`, async (request, reply) => {
      const encoding = encodingFor(request.headers['accept-encoding']);
      if (encoding) reply.header('content-encoding', encoding);
      return reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('vary', 'accept-encoding')
        .type(type)
        .send(encoding ? encoded[encoding] : body);
    });
  }
}

function createAsset(name: string, text: string): Asset {
  const body = Buffer.from(text);
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const [stem, extension = ''] = name.split('.');
  return {
    url: `assets/${stem}-${hash}.${extension}`,
    type: TYPES[extension] ?? '',
    body,
    encoded: { br: compress(body, 'br', 'thoroughly'), gzip: compress(body, 'gzip', 'thoroughly') },
  };
}
