import { ProblemError } from '../shared/problem-response.js';
import { readKey, whyNoKey } from '../shared/read-key.js';
import type { KeyRing } from './keys/key-ring.js';

/**
 * At home a ring of keys lets requests in, as the gateway does in AWS.
 *
 * @returns who asks, by the name of the key; rejects with a `ProblemError`: 401 without a key, else as `KeyRing.admit`
 */
export function keyChecker(ring: Pick<KeyRing, 'admit'>): (request: Request) => Promise<string> {
  return async (request) => {
    const given = readKey(request.headers);
    if (given === undefined) throw new ProblemError(401, whyNoKey(request.headers));
    // Apart from `ANYBODY`, whose predictions are of a time when there was one key.
    return `key ${await ring.admit(given)}`;
  };
}
