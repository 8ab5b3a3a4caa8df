import { randomBytes } from 'node:crypto';

/** A seed for a request that names none: uniform below 2^32, which is short enough to be read out and typed again. */
export function randomSeed(): number {
  return randomBytes(4).readUInt32LE();
}
