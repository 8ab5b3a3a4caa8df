import type { z } from 'zod';
import { AppError } from '../../lib/errors/app-error.js';
import type { Problem } from '../../lib/schemas/problem.js';
import { HTTP_STATUS, STATUS_TITLE } from './http-status.js';

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER = '2';

export interface ProblemDetails {
  readonly status: number;
  readonly detail: string;
  /** @default none */
  readonly errors?: Problem['errors'];
}

/** A request that its schema refuses, with every wrong field. */
export class RequestRefused extends AppError {
  readonly errors: NonNullable<Problem['errors']>;

  constructor(issues: readonly z.core.$ZodIssue[]) {
    const errors = issues.flatMap(fieldErrors);
    super('INVALID_INPUT', errors.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.errors = errors;
  }
}

function fieldErrors(issue: z.core.$ZodIssue): NonNullable<Problem['errors']> {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({ field, message: 'is not a field of this request' }));
  }
  return [{ field: issue.path.join('.') || 'body', message: issue.message }];
}

/** What a caller may know of an error; our own faults are not described. */
export function describeProblem(error: unknown): ProblemDetails {
  if (!(error instanceof AppError)) return { status: 500, detail: 'an unexpected error; the log has it' };
  const status = HTTP_STATUS[error.code];
  if (status === 500) return { status, detail: 'an internal error; the log has it' };
  const errors = error instanceof RequestRefused ? { errors: error.errors } : {};
  return { status, detail: error.message, ...errors };
}

export function problemResponse({ status, detail, errors }: ProblemDetails, requestId: string): Response {
  const title = STATUS_TITLE[status] ?? 'Error';
  const problem: Problem = {
    type: 'about:blank',
    title,
    status,
    detail,
    ...(errors ? { errors } : {}),
    request_id: requestId,
  };
  const headers = new Headers({ 'content-type': 'application/problem+json', 'x-request-id': requestId });
  if (status === 503) headers.set('retry-after', RETRY_AFTER);
  return new Response(JSON.stringify(problem), { status, headers });
}
