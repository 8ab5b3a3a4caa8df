import { randomBytes } from 'node:crypto';

/** A seed for a request that names none: uniform in 0..2^53-1. */
export function randomSeed(): number {
  const bytes = randomBytes(8);
  return (bytes.readUInt32LE(0) & 0x1fffff) * 2 ** 32 + bytes.readUInt32LE(4);
}
