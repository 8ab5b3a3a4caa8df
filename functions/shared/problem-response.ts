import type * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';
import { PredictionFailed } from '../../lib/predictions/delivery/prediction-failed.js';
import { EndpointError } from '../../lib/predictions/endpoint.js';
import { UnreadableRecord } from '../../lib/predictions/records/unreadable-record.js';
import type { Problem } from '../../lib/schemas/problem.js';
import {
  describeUnknownField,
  describeWithAll,
} from '../../lib/schemas/unknown-fields/describe-unknown-field.js';
import { ENDPOINT_STATUS, HTTP_STATUS, STATUS_TITLE } from './http-status.js';

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER = '2';

/** A body of 64 KiB can have thousands of wrong fields, with names as long as itself: an answer shows some of that. */
const MAX_ERRORS = 16;
const MAX_FIELD = 80;

const LOST =
  'what is stored of this prediction is damaged, and it is lost: send its request again, with a new Idempotency-Key if it had one';

export interface ProblemDetails {
  readonly status: number;
  readonly detail: string;
  /** @default none */
  readonly errors?: Problem['errors'];
}

/** An error of HTTP's own, with the status that says so, and what such an answer has in its head. */
export class ProblemError extends AppError implements ProblemDetails {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super('INVALID_INPUT', detail);
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

type FieldErrors = NonNullable<Problem['errors']>;

/** A request that its schema refuses, with its wrong fields. */
export class RequestRefused extends AppError {
  readonly errors: FieldErrors;

  /** @param known the fields that there are, for those that there are not. @default none of them is told */
  constructor(issues: readonly z.core.$ZodIssue[], known: readonly string[] = []) {
    const all = toldOnce(issues.flatMap((issue) => fieldErrors(issue, known)));
    const errors = all
      .slice(0, MAX_ERRORS)
      .map((error) => ({ ...error, field: error.field.slice(0, MAX_FIELD) }));
    const more = all.length > errors.length ? [`and ${all.length - errors.length} more`] : [];
    const said = errors.map(({ field, message }) => `${field}: ${message}`);
    super('INVALID_INPUT', [...said, ...more].join('; '));
    this.errors = errors;
  }
}

/** A request whose one part is wrong: a field, a header, a parameter of its address, or its `body` as a whole. */
export function refusal(part: string, message: string): RequestRefused {
  return new RequestRefused([{ code: 'custom', path: [part], message, input: undefined }]);
}

/** A value may break several rules that have the same words: 2^53 is above an integer's limit, and above the field's own. */
function toldOnce(errors: FieldErrors): FieldErrors {
  return [...new Map(errors.map((error) => [`${error.field}\0${error.message}`, error])).values()];
}

function fieldErrors(issue: z.core.$ZodIssue, known: readonly string[]): FieldErrors {
  if (issue.code !== 'unrecognized_keys')
    return [{ field: issue.path.join('.') || 'body', message: issue.message }];
  return issue.keys.map((field, index) => {
    // Thousands of names are not compared for the few that are shown.
    if (index >= MAX_ERRORS) return { field, message: 'is not a field here' };
    const describe = index === 0 ? describeWithAll : describeUnknownField;
    return { field, message: describe(field, known) };
  });
}

/** What a caller may know of an error; our own faults are not described. */
export function describeProblem(error: unknown): ProblemDetails {
  if (error instanceof ProblemError) return error;
  if (error instanceof PredictionFailed) return error.problem;
  if (error instanceof EndpointError) return describeEndpointError(error);
  if (!(error instanceof AppError)) return { status: 500, detail: 'an unexpected error; the log has it' };
  const status = HTTP_STATUS[error.code];
  if (error instanceof UnreadableRecord) return { status, detail: LOST };
  if (status === 500) return { status, detail: 'an internal error; the log has it' };
  const errors = error instanceof RequestRefused ? { errors: error.errors } : {};
  return { status, detail: error.message, ...errors };
}

function describeEndpointError({ fault, message, problem }: EndpointError): ProblemDetails {
  const status = ENDPOINT_STATUS[fault];
  if (status === 500) return { status, detail: 'an internal error; the log has it' };
  if (!problem) return { status, detail: message };
  const errors = problem.errors ? { errors: problem.errors } : {};
  // What the endpoint refuses is the caller's to mend, in the endpoint's own words.
  return { status: fault === 'refused' ? problem.status : status, detail: problem.detail, ...errors };
}

/** An error as it goes over the wire, or into a record. */
export function toProblem(error: unknown, requestId: string): Problem {
  const {
    status,
    detail,
    errors = status === 400 ? [wrongPart(detail)] : undefined,
  } = describeProblem(error);
  const title = STATUS_TITLE[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail, ...(errors ? { errors } : {}), request_id: requestId };
}

/** What is wrong, where the error itself is one sentence of the form `FIELD: what is wrong`, or about the whole request. */
function wrongPart(detail: string): FieldErrors[number] {
  const [, field, message] = /^([\w-]+): (.+)$/s.exec(detail) ?? [];
  return field !== undefined && message !== undefined
    ? { field, message }
    : { field: 'request', message: detail };
}

export function problemResponse(error: unknown, requestId: string): Response {
  const response = sendProblem(toProblem(error, requestId), requestId);
  for (const [name, value] of Object.entries(headersOf(error))) response.headers.set(name, value);
  return response;
}

/** The headers that belong to an error itself. */
export function headersOf(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ProblemError ? error.headers : {};
}

/** A problem that was recorded for another request, too. */
export function sendProblem(problem: Problem, requestId: string): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json', 'x-request-id': requestId });
  if (problem.status === 503) headers.set('retry-after', RETRY_AFTER);
  const body = JSON.stringify({ ...problem, request_id: requestId });
  return new Response(body, { status: problem.status, headers });
}
