import { AppError } from '../../errors/app-error.js';
import { readManifest } from '../../weights/bundle/read-manifest.js';
import { withSelfTest } from '../../weights/bundle/self-test-record.js';
import { startDownload } from '../../weights/download/download-bundle.js';
import { createS3Client } from '../../weights/sources/s3/create-s3-client.js';
import { formatS3Url, type S3Location } from '../../weights/sources/s3/s3-location.js';
import { assertS3Ready } from '../../weights/sources/s3/s3-ready.js';
import { S3Source } from '../../weights/sources/s3/s3-source.js';
import { s3Folder } from '../models/cache-folder.js';
import type { Progress } from '../progress.js';
import { tellBytes } from '../tell-bytes.js';
import { tellRetries } from '../tell-retries.js';

/**
 * Brings a bundle from S3 to the cache; what is there already and right is not fetched again.
 *
 * @returns its directory
 * @throws AppError that names the option
 */
export async function cachedBundle(location: S3Location, progress: Progress): Promise<string> {
  const directory = s3Folder(location);
  const client = createS3Client();
  try {
    const source = new S3Source(client, location);
    await assertS3Ready(client);
    const policy = { onRetry: tellRetries(progress) };
    const manifest = await withSelfTest(await readManifest(source, policy), source, policy);
    const onProgress = tellBytes(progress, 'downloading the model');
    const threads = { entry: new URL('../../weights/download/fetch-worker.js', import.meta.url) };
    await startDownload({ source, manifest, directory, threads, policy, onProgress }).done;
    return directory;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, retryable } = error;
    throw new AppError(code, `--model ${formatS3Url(location)}: ${message}`, { cause: error, retryable });
  } finally {
    client.destroy();
  }
}
