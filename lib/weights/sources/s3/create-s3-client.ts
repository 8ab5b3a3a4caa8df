import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/**
 * An S3 client with the settings that many large ranged requests need. Region, credentials and endpoint come
 * from `overrides` or from where the SDK looks (environment, shared files, container). The owner calls
 * `destroy()`, which closes the idle connections.
 */
export function createS3Client(overrides: S3ClientConfig = {}): S3Client {
  return new S3Client({
    // `transfer` retries; the SDK's own attempts would multiply with those.
    maxAttempts: 1,
    // The manifest has a sum for each chunk, while S3's own covers only whole objects and upload parts.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A laptop's default region is seldom the bucket's.
    followRegionRedirects: true,
    requestHandler: {
      // Open connections are bounded by the reader's `parallelism`, not by a queue inside the agent.
      httpAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
      httpsAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
      connectionTimeout: 5_000,
    },
    ...overrides,
  });
}
