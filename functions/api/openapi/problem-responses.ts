import type { Problem } from '../../../lib/schemas/problem.js';
import { STATUS_TITLE } from '../../shared/http-status.js';
import { schemaRef } from './component-schemas.js';
import { headerRefs } from './headers.js';
import type { AnyResponse, Responses } from './openapi-types.js';

interface ErrorCase {
  /** When it comes. */
  readonly when: string;
  /** What it says, for example. */
  readonly detail: string;
  /** @default none */
  readonly errors?: Problem['errors'];
}

const CASES = {
  400: {
    when: 'A field, a header or a parameter is wrong; `errors` names each that is.',
    detail: 'num_steps: must be an integer from 1 to 4',
    errors: [{ field: 'num_steps', message: 'must be an integer from 1 to 4' }],
  },
  401: { when: 'There is no key, or it is not good.', detail: 'this path needs an API key' },
  404: {
    when: 'There is no such prediction, or none any more, or it is not yours.',
    detail: 'there is no such prediction; results are kept for 1 day and then deleted',
  },
  406: {
    when: '`Accept` takes neither JSON nor a picture in a format that this one can have.',
    detail: 'Accept takes nothing that this answer can be: application/json, image/webp',
  },
  409: {
    when: 'The `Idempotency-Key` came with another request before.',
    detail: 'this Idempotency-Key came with another request before',
  },
  410: {
    when: 'The prediction has expired, or was canceled.',
    detail: 'this prediction has expired: results are kept for 1 day',
  },
  413: {
    when: 'The body is longer than 64 KiB, and 4.2 MiB more where it has an `image`.',
    detail: 'the body is longer than 65536 bytes',
  },
  415: {
    when: 'The body is called something else than `application/json`, and is no JSON, or is compressed.',
    detail: 'the content type must be application/json',
  },
  422: {
    when: 'The model cannot do it, or its answer would be longer than 6 MB on AWS.',
    detail: 'decoder: the model has no taesd decoder',
  },
  429: {
    when: "The key's rate or quota is used up.",
    detail: 'too many requests',
  },
  500: { when: 'Our fault.', detail: 'an internal error; the log has it' },
  502: { when: 'The model failed, or did not answer in time.', detail: 'the model failed on this request' },
  503: {
    when: 'It cannot be taken now: ask again after `Retry-After`.',
    detail: 'the request could not be stored: nothing was accepted',
  },
  504: { when: 'The gateway gave up waiting.', detail: 'no answer in time' },
} as const satisfies Record<number, ErrorCase>;

export type ErrorStatus = keyof typeof CASES;

/** Refused before any route is asked. */
export const KEY_ERRORS = [401, 429] as const;

/** Answered by the gateway alone, which has none of this service's own headers. */
const GATEWAY_ERRORS: ReadonlySet<ErrorStatus> = new Set([429, 504]);

const REQUEST_ID = '7c0d6f0e-5f0f-4f5e-9d65-0c1b9c1f8b51';

export function problemResponses(...statuses: readonly ErrorStatus[]): Responses {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(status)]));
}

export function problemExample(status: ErrorStatus, { detail, errors }: ErrorCase = CASES[status]): Problem {
  const title = STATUS_TITLE[status] ?? 'Error';
  return {
    type: 'about:blank',
    title,
    status,
    detail,
    ...(errors ? { errors } : {}),
    request_id: REQUEST_ID,
  };
}

/** @param error @default what the status means nearly everywhere */
export function problemResponse(status: ErrorStatus, error: ErrorCase = CASES[status]): AnyResponse {
  const example = { value: problemExample(status, error) };
  return {
    description: error.when,
    headers: errorHeaders(status),
    content: { 'application/problem+json': { schema: schemaRef('Problem'), examples: { example } } },
  };
}

export function errorHeaders(status: ErrorStatus): AnyResponse['headers'] {
  if (GATEWAY_ERRORS.has(status)) return { 'Retry-After': { $ref: '#/components/headers/Retry-After' } };
  if (status === 503) return headerRefs('Retry-After');
  if (status === 415) return headerRefs('Accept-Encoding');
  return status === 401 ? headerRefs('WWW-Authenticate') : headerRefs();
}
