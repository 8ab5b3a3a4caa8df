import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { readTree } from '../graphs/random-bundle.js';

export { S3Client };

export async function makeBucket(client: S3Client, bucket: string): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
}

/** Every object below a prefix by its path there. */
export async function readObjects(
  client: S3Client,
  bucket: string,
  prefix: string,
): Promise<Map<string, Buffer>> {
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }),
  );
  const read = Contents.map(async ({ Key = '' }) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    return [Key.slice(prefix.length + 1), Buffer.from((await Body?.transformToByteArray()) ?? [])] as const;
  });
  return new Map(await Promise.all(read));
}

/** Keys of uploads that are neither completed nor aborted. */
export async function openUploads(client: S3Client, bucket: string): Promise<(string | undefined)[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.map(({ Key }) => Key);
}

/** Puts every file of a directory below a prefix. */
export async function putFolder(
  client: S3Client,
  bucket: string,
  prefix: string,
  folder: string,
): Promise<void> {
  for (const [path, bytes] of await readTree(folder))
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${path}`, Body: bytes }));
}
