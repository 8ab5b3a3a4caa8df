import { selfTestOnS3 } from '../../lib/weights/bundle/s3-self-test.js';
import { selfTestInDirectory, type WriteSelfTest } from '../../lib/weights/bundle/write-self-test.js';
import type { ByteSource } from '../../lib/weights/sources/byte-source.js';
import { BUNDLE_KINDS, parsePlace } from '../../lib/weights/sources/place.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { S3Source } from '../../lib/weights/sources/s3/s3-source.js';
import type { EndpointConfig } from './config.js';

export interface ModelSource {
  /** Undefined for a bundle in a directory, which stays there. */
  readonly source: ByteSource | undefined;
  /** Where it lies, or is to lie. */
  readonly directory: string;
  /** Beside the manifest. */
  readonly writeSelfTest: WriteSelfTest;
}

/** Where the bundle comes from, and where it is to lie. */
export function modelSource(config: Pick<EndpointConfig, 'modelUri' | 'modelDirectory'>): ModelSource {
  const { modelUri, modelDirectory } = config;
  const place = parsePlace(modelUri, BUNDLE_KINDS);
  if (place.kind === 'directory')
    return { source: undefined, directory: place.path, writeSelfTest: selfTestInDirectory(place.path) };
  const client = createS3Client();
  return {
    source: new S3Source(client, place.location),
    directory: modelDirectory,
    writeSelfTest: selfTestOnS3(client, place.location),
  };
}
