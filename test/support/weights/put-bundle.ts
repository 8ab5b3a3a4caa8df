import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** Puts the files of a directory into a new bucket, below `prefix`. */
export async function putBundle(
  client: S3Client,
  folder: string,
  bucket: string,
  prefix: string,
): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const Key = `${prefix}/${relative(folder, path)}`;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: readFileSync(path) }));
  }
}
