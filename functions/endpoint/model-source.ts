import { selfTestInDirectory, type WriteSelfTest } from '../../lib/weights/bundle/write-self-test.js';
import type { ByteSource } from '../../lib/weights/sources/byte-source.js';
import { BUNDLE_KINDS, parsePlace } from '../../lib/weights/sources/place.js';
import type { EndpointConfig } from './config.js';

export interface ModelSource {
  /** Undefined for a bundle in a directory, which stays there. */
  readonly source: ByteSource | undefined;
  /** Where it lies, or is to lie. */
  readonly directory: string;
  /** Beside the manifest. */
  readonly writeSelfTest: WriteSelfTest;
}

/**
 * Where the bundle comes from, and where it is to lie. One in a directory needs no AWS client, which then need not be
 * installed.
 */
export async function modelSource(
  config: Pick<EndpointConfig, 'modelUri' | 'modelDirectory'>,
): Promise<ModelSource> {
  const { modelUri, modelDirectory } = config;
  const place = parsePlace(modelUri, BUNDLE_KINDS);
  if (place.kind === 'directory')
    return { source: undefined, directory: place.path, writeSelfTest: selfTestInDirectory(place.path) };
  const { createS3Client } = await import('../../lib/weights/sources/s3/create-s3-client.js');
  const { S3Source } = await import('../../lib/weights/sources/s3/s3-source.js');
  const { selfTestOnS3 } = await import('../../lib/weights/bundle/s3-self-test.js');
  const client = createS3Client();
  return {
    source: new S3Source(client, place.location),
    directory: modelDirectory,
    writeSelfTest: selfTestOnS3(client, place.location),
  };
}
