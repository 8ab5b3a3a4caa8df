import { AppError } from '../../../errors/app-error.js';

/** A prefix in a bucket; the prefix is without slashes at its ends and may be empty. */
export interface S3Location {
  readonly bucket: string;
  readonly prefix: string;
}

export function formatS3Url({ bucket, prefix }: S3Location): string {
  return `s3://${bucket}${prefix && '/'}${prefix}`;
}

/** S3's own rule for names of general purpose buckets, less its exceptions. */
const S3_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/**
 * Reads `s3://bucket/prefix`.
 *
 * @throws AppError INVALID_INPUT
 */
export function parseS3Url(url: string): S3Location {
  const match = S3_URL.exec(url);
  if (!match?.[1]) {
    throw new AppError('INVALID_INPUT', `${JSON.stringify(url)} is not of the form s3://bucket/prefix`);
  }
  const prefix = (match[2] ?? '').replace(/\/+$/, '');
  if (/^\/|\/\//.test(prefix)) {
    throw new AppError('INVALID_INPUT', `${JSON.stringify(url)} has an empty folder name`);
  }
  return { bucket: match[1], prefix };
}
