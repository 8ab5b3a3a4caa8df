import type { S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../../errors/app-error.js';

/**
 * Looks for region and credentials, so that their absence is told in plain words and before anything else.
 *
 * @throws AppError UNAVAILABLE
 */
export async function assertS3Ready(client: S3Client): Promise<void> {
  await client.config.region().catch((cause) => {
    refuse('no AWS region is set: set AWS_REGION, or AWS_PROFILE to a profile that has one', cause);
  });
  await client.config.credentials().catch((cause) => {
    refuse(
      'no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      cause,
    );
  });
}

function refuse(message: string, cause: unknown): never {
  throw new AppError('UNAVAILABLE', message, { cause, retryable: false });
}
