import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { createS3Client } from './create-s3-client.js';

const silent = () => undefined;

/** As `createS3Client`, for a client that also writes. */
export function createS3WriteClient(overrides: S3ClientConfig = {}): S3Client {
  return createS3Client({
    // A connection of its own for each part, only to hear "100 Continue", costs more than it saves.
    expectContinueHeader: false,
    // It would warn that it cannot send a stream again. `transfer` does that, with a new one.
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    ...overrides,
  });
}
