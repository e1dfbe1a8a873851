import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';

/** All addresses, of IPv6 and of IPv4. */
const ANY = '::';

/** The address to listen on for a HOST: where a machine knows no IPv6, all addresses are those of IPv4. */
export function listenAddress(host: string): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return host === ANY && !addresses.some((address) => address?.family === 'IPv6') ? '0.0.0.0' : host;
}

/** Where a server listens. Fastify itself says 127.0.0.1 where it listens on all addresses of IPv4. */
export function listenUrl(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
