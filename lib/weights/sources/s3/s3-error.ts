import { AppError } from '../../../errors/app-error.js';

/** Codes that S3 sends with a status of 4xx, although the same request may succeed later. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  // The SDK fetches new credentials when these have come of age.
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'RequestExpired',
  // The SDK corrects its clock by the answer.
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  /** Of the operating system and of Node: ECONNRESET and the like. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/**
 * An error of the S3 client in this project's terms.
 *
 * @param object `s3://bucket/key`, which the message names
 */
export function s3Error(error: unknown, object: string): AppError {
  if (error instanceof AppError) return error;
  const { name = 'Error', message = '', code, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  const said = `${name}${message && message !== name ? `: ${message}` : ''}`.replaceAll(/\s+/g, ' ');
  const unavailable = (why: string, retryable: boolean) =>
    new AppError('UNAVAILABLE', `cannot read ${object}: ${why}`, { cause: error, retryable });

  if (name === 'NoSuchBucket') {
    return new AppError('NOT_FOUND', `${object}: the bucket does not exist`, { cause: error });
  }
  if (status === 404) return new AppError('NOT_FOUND', `${object} does not exist`, { cause: error });
  if (status === 416) {
    return new AppError('INVALID_FILE', `${object} is shorter than expected (${said})`, { cause: error });
  }
  if (status === undefined) {
    // Without an answer from S3: a broken connection has a code of the system, a wrong configuration has none.
    return unavailable(said, code !== undefined || name === 'TimeoutError' || name === 'AbortError');
  }
  // An answer of 2xx that the client could not read is one that broke off.
  const transient = status < 300 || status === 429 || status >= 500 || TRANSIENT_CODES.has(name);
  return unavailable(`${said} (HTTP ${status})`, transient);
}
