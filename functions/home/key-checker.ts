import { createHash, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../shared/problem-response.js';
import { readKey, whyNoKey } from '../shared/read-key.js';

/**
 * At home one key opens everything, as the gateway's keys do in AWS.
 *
 * @returns a function that throws a `ProblemError` 401 for a request without a key, or with a wrong one
 */
export function keyChecker(key: string): (request: Request) => void {
  const right = digest(key);
  return (request) => {
    const given = readKey(request.headers);
    if (given === undefined) throw new ProblemError(401, whyNoKey(request.headers));
    // Digests have one length, whatever the keys are.
    if (!timingSafeEqual(digest(given), right)) throw new ProblemError(401, 'this key is not known');
  };
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
