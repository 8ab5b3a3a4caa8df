/**
 * What went wrong, in the terms of this project. HTTP statuses and exit codes are derived from it in
 * one table each, at the edge.
 *
 * - `INVALID_INPUT`: the caller's request or arguments are wrong
 * - `INVALID_FILE`: a file is missing, damaged, or says what it may not say
 * - `UNSUPPORTED`: well formed, but outside what this project can do
 * - `NOT_FOUND`: the named thing does not exist
 * - `GONE`: it did exist, and its time is over
 * - `CONFLICT`: it exists already, and is another
 * - `UNAVAILABLE`: cannot be done now, may be done later
 * - `BAD_NUMBERS`: the model gave what are no numbers, or no picture of its own
 * - `INTERNAL`: a defect of ours, or a failure of the machine
 */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'INVALID_FILE'
  | 'UNSUPPORTED'
  | 'NOT_FOUND'
  | 'GONE'
  | 'CONFLICT'
  | 'UNAVAILABLE'
  | 'BAD_NUMBERS'
  | 'INTERNAL';

export interface AppErrorOptions {
  /** @default undefined */
  readonly cause?: unknown;
  /** Whether the same call may succeed later. @default true for UNAVAILABLE, else false */
  readonly retryable?: boolean;
}

/** The one error class that crosses a boundary of this project. Messages are single lines, for people. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? code === 'UNAVAILABLE';
  }
}
