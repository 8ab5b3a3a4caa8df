import type { Problem } from './prediction.js';

/** The input is wrong, or the service said no, or could not be reached for too long. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** Of HTTP; undefined where no answer came. */
  readonly status: number | undefined;
  /** In the service's own words, field by field. */
  readonly problem: Problem | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How long the service asks to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ClientErrorOptions = {}) {
    const { status, problem, retryable = false, retryAfterSeconds, cause } = options;
    super(message, { cause });
    this.status = status;
    this.problem = problem;
    this.retryable = retryable;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface ClientErrorOptions {
  /** @default undefined */
  readonly status?: number | undefined;
  /** @default undefined */
  readonly problem?: Problem | undefined;
  /** @default false */
  readonly retryable?: boolean;
  /** @default undefined */
  readonly retryAfterSeconds?: number | undefined;
  /** @default undefined */
  readonly cause?: unknown;
}
