import type { ByteSource } from '../../lib/weights/sources/byte-source.js';
import { BUNDLE_KINDS, parsePlace } from '../../lib/weights/sources/place.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { S3Source } from '../../lib/weights/sources/s3/s3-source.js';
import type { EndpointConfig } from './config.js';

/** Where the bundle comes from and where it is to lie; a bundle in a directory stays there and has no source. */
export function modelSource(config: Pick<EndpointConfig, 'modelUri' | 'modelDirectory'>): {
  source: ByteSource | undefined;
  directory: string;
} {
  const { modelUri, modelDirectory } = config;
  const place = parsePlace(modelUri, BUNDLE_KINDS);
  if (place.kind === 'directory') return { source: undefined, directory: place.path };
  return { source: new S3Source(createS3Client(), place.location), directory: modelDirectory };
}
