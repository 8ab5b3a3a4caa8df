import type { ByteSource } from '../../lib/weights/sources/byte-source.js';
import { BUNDLE_KINDS, parsePlace } from '../../lib/weights/sources/place.js';
import type { EndpointConfig } from './config.js';

/**
 * Where the bundle comes from and where it is to lie; a bundle in a directory stays there, has no source, and needs no AWS
 * client, which then need not be installed.
 */
export async function modelSource(config: Pick<EndpointConfig, 'modelUri' | 'modelDirectory'>): Promise<{
  source: ByteSource | undefined;
  directory: string;
}> {
  const { modelUri, modelDirectory } = config;
  const place = parsePlace(modelUri, BUNDLE_KINDS);
  if (place.kind === 'directory') return { source: undefined, directory: place.path };
  const { createS3Client } = await import('../../lib/weights/sources/s3/create-s3-client.js');
  const { S3Source } = await import('../../lib/weights/sources/s3/s3-source.js');
  return { source: new S3Source(createS3Client(), place.location), directory: modelDirectory };
}
