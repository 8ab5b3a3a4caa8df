import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All of IPv6's global unicast that IANA has given out. Source: IANA, Internet Protocol Version 6 Address Space. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address belongs to one host of the public Internet. Refused is everything that IANA lists for another
 * purpose, all that carries an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo, ...), addresses with a
 * zone, and text that is no address.
 *
 * @param address as DNS or the `hostname` of a URL gives it, without brackets
 */
export function isPublicAddress(address: string): boolean {
  // The parser takes more than sockets do: `0x7f.1`, `127.1`.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // What the parser has no name for is `unicast` to it, `::127.0.0.1` in hexadecimal among others.
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}
