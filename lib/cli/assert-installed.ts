import { AppError } from '../errors/app-error.js';

/** Of `s3://` places. */
export const S3_PACKAGES = ['@aws-sdk/client-s3'];
/** Of `hf:` places. */
export const HUB_PACKAGES = ['@huggingface/hub'];
export const DOCTOR_PACKAGES = [
  '@aws-sdk/client-cloudwatch-logs',
  '@aws-sdk/client-ec2',
  '@aws-sdk/client-sagemaker',
  '@aws-sdk/client-service-quotas',
  '@aws-sdk/client-ssm',
  '@aws-sdk/client-sts',
];
/** Of keys on AWS. */
export const KEYS_PACKAGES = ['@aws-sdk/client-api-gateway', '@aws-sdk/client-cloudformation'];

/**
 * Of an installed package these are optional peers, since most of its users need none of them.
 *
 * @param what needs them
 * @throws AppError UNSUPPORTED with the command that installs those that are missing
 */
export function assertInstalled(what: string, packages: readonly string[]): void {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  throw new AppError(
    'UNSUPPORTED',
    `${what} needs what is not installed yet: npm install ${missing.join(' ')}`,
  );
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
