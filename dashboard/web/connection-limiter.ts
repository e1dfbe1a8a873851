import { isIPv6 } from 'node:net';

/*
 * The places there are for sockets. As long as some are free, anybody gets one. Once all are taken, a
 * newcomer takes one from the address that holds the most, unless its own holds as many: a client with
 * thousands of sockets crowds out no one else, and behind a proxy, where all have one address, the first
 * stay. No address needs its own limit.
 */

export class ConnectionLimiter<Holder> {
  readonly #size: number;
  readonly #holders = new Map<string, Set<Holder>>();
  #taken = 0;

  /** @param size how many there are */
  constructor(size: number) {
    this.#size = size;
  }

  /** Whether there is a place for one more from this address. */
  hasRoom(address: string): boolean {
    if (this.#taken < this.#size) return true;
    return (this.#holders.get(clientNetwork(address))?.size ?? 0) + 1 < this.#largest().size;
  }

  /** Takes a place. @returns the one to evict for it: the newest of the address with the most */
  take(address: string, holder: Holder): Holder | undefined {
    const network = clientNetwork(address);
    const holders = this.#holders.get(network) ?? new Set<Holder>();
    this.#holders.set(network, holders.add(holder));
    this.#taken += 1;
    return this.#taken > this.#size ? [...this.#largest()].at(-1) : undefined;
  }

  release(address: string, holder: Holder): void {
    const network = clientNetwork(address);
    const holders = this.#holders.get(network);
    if (!holders?.delete(holder)) return;
    this.#taken -= 1;
    if (holders.size === 0) this.#holders.delete(network);
  }

  #largest(): Set<Holder> {
    return [...this.#holders.values()].reduce((most, holders) => (holders.size > most.size ? holders : most));
  }
}

function clientNetwork(address: string): string {
  // A client with one IPv6 address has 2⁶⁴ of them: they count as one.
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  if (tail !== undefined) while (groups.length < 4) groups.push('0');
  return groups.slice(0, 4).join(':');
}
