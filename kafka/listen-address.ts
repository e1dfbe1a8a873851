import { networkInterfaces } from 'node:os';

/** All addresses, of IPv6 and of IPv4. */
const ANY = '::';

/** The address to listen on for a HOST: where a machine knows no IPv6, all addresses are those of IPv4. */
export function listenAddress(host: string): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return host === ANY && !addresses.some((address) => address?.family === 'IPv6') ? '0.0.0.0' : host;
}
