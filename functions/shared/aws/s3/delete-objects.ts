import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../../../lib/errors/app-error.js';

/**
 * Deletes every object below a prefix, or of a whole bucket where it is empty; a bucket that is not there has none.
 *
 * @returns how many there were
 */
export async function deleteObjects(client: S3Client, bucket: string, prefix: string): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      // Always the first page: the one before is gone.
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      const keys = (page.Contents ?? []).map(({ Key }) => ({ Key }));
      if (keys.length === 0) return count;
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys, Quiet: true } }),
      );
      const [first] = Errors;
      if (first)
        throw new AppError('UNAVAILABLE', `s3://${bucket}/${first.Key} cannot be deleted: ${first.Code}`);
      count += keys.length;
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucket') return count;
    throw error;
  }
}
