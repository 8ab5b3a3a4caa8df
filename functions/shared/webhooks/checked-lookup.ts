import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { hostForbidden, hostNotFound } from './no-public-address.js';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * A `lookup` for sockets that hands them checked addresses only: what is connected to is what was checked, whatever
 * DNS says a moment later. One forbidden address among several refuses the name. Sockets do not call it for a host
 * that is an address already.
 */
export function checkedLookup(resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, callback) => {
    const found = (addresses: readonly LookupAddress[]) => {
      const [first] = addresses;
      if (!first) return callback(hostNotFound(undefined), []);
      if (!addresses.every(({ address }) => isAllowed(address))) return callback(hostForbidden(), []);
      return all ? callback(null, [...addresses]) : callback(null, first.address, first.family);
    };
    resolve(hostname).then(found, (cause) => callback(hostNotFound(cause), []));
  };
}
