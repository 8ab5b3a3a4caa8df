import type { S3Client } from '@aws-sdk/client-s3';
import { SELF_TEST_NAME } from '../../schemas/self-test.js';
import { DEFAULT_TRANSFER_POLICY } from '../bytes/transfer.js';
import type { S3Location } from '../sources/s3/s3-location.js';
import { S3Writer } from './s3-writer.js';
import type { WriteSelfTest } from './write-self-test.js';

/** @param client stays its owner's */
export function selfTestOnS3(client: S3Client, location: S3Location): WriteSelfTest {
  const writer = new S3Writer(client, location, DEFAULT_TRANSFER_POLICY);
  return (text) => writer.create(SELF_TEST_NAME, Buffer.from(text), 'application/json');
}
