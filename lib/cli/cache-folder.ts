import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readEnvironment } from './environment.js';

/**
 * Where a bundle from S3 comes to lie on this machine.
 *
 * @param model `s3://BUCKET/PREFIX`
 */
export function cacheFolder(model: string): string {
  return join(readEnvironment().cache, createHash('sha256').update(model).digest('hex').slice(0, 16));
}
