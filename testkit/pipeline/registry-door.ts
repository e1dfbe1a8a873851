import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CertificateAuthority } from '../../local/kafka/certificates.ts';
import { LOOPBACK } from '../../local/process/ports.ts';

/** What stands before a schema registry: HTTPS, a name and a password, and failures as a test wants them. */
export interface RegistryDoor {
  url: string;
  /** The keys of the Secret that lets a client in. */
  secret: Record<'username' | 'password' | 'ca.crt', string>;
  /** Paths that were asked for by who was let in, in their order. */
  asked: string[];
  /** How many requests had no right password. */
  refused: number;
  /** While true the registry answers nobody. */
  isClosed: boolean;
  close(): Promise<void>;
}

/** @param registryUrl the registry that answers */
export async function openRegistryDoor(registryUrl: string): Promise<RegistryDoor> {
  const authority = await CertificateAuthority.create('registry-ca');
  const { certificate, key } = await authority.issue('registry');
  const [username, password] = ['job', `it's "secret": ü`];
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const registry = new URL(registryUrl);
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    if (door.isClosed) return response.writeHead(503).end('closed');
    if (request.headers.authorization !== authorization) {
      door.refused += 1;
      return response.writeHead(401).end('{"error_code": 401, "message": "Unauthorized"}');
    }
    door.asked.push(request.url ?? '');
    const answer = await fetch(new URL(request.url ?? '', registry), {
      method: request.method ?? 'GET',
      headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
      ...(request.method === 'POST' && { body: await text(request) }),
    });
    return response.writeHead(answer.status).end(await answer.text());
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const door: RegistryDoor = {
    url: `https://${LOOPBACK}:${port}${registry.pathname}`,
    // As an editor leaves it, with an end of line.
    secret: { username, password: `${password}\n`, 'ca.crt': authority.certificate },
    asked: [],
    refused: 0,
    isClosed: false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return door;
}
