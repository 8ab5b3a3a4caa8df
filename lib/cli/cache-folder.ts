import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { formatS3Url, type S3Location } from '../weights/sources/s3/s3-location.js';
import { readEnvironment } from './environment.js';

/** Where a bundle from S3 comes to lie on this machine. */
export function cacheFolder(location: S3Location): string {
  const name = createHash('sha256').update(formatS3Url(location)).digest('hex').slice(0, 16);
  return join(readEnvironment().cache, name);
}
