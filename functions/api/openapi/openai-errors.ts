import type { OpenaiError } from '../../../lib/schemas/openai/image-answer.js';
import { openaiErrorType } from '../../../lib/schemas/problem.js';
import { schemaRef } from './component-schemas.js';
import type { AnyResponse, Responses } from './openapi-types.js';
import { type ErrorStatus, errorHeaders, KEY_ERRORS, problemExample } from './problem-responses.js';

interface OpenaiCase {
  readonly when: string;
  /** @default that of a problem with this status */
  readonly message?: string;
  /** @default null */
  readonly param?: string;
  /** @default null */
  readonly code?: string;
}

const CASES = {
  400: {
    when: 'A field is wrong.',
    message: 'prompt: must not be empty',
    param: 'prompt',
    code: 'invalid_value',
  },
  401: { when: 'There is no key, or it is not good.', code: 'invalid_api_key' },
  404: { when: 'There is no such model.', message: 'there is no model dall-e-9, only sd-turbo' },
  413: { when: 'The body is too long: 64 KiB, and 3 MiB more for a picture in a form.' },
  415: { when: 'The body has another content type, or is compressed.' },
  422: { when: 'The model cannot do it, or its answer would be longer than 6 MB on AWS.' },
  429: { when: "The key's rate or quota is used up." },
  500: { when: 'Our fault.' },
  502: { when: 'The model failed, or did not answer in time.' },
  503: {
    when: 'The endpoint is cold, and being woken, or busy: ask again after `Retry-After`.',
    message: 'the endpoint is asleep and being woken',
    code: 'model_not_ready',
  },
  504: { when: 'The gateway gave up waiting.' },
} as const satisfies Partial<Record<ErrorStatus, OpenaiCase>>;

type OpenaiStatus = keyof typeof CASES;

/** What the gateway answers itself has both shapes in one. */
const GATEWAY: ReadonlySet<ErrorStatus> = new Set([...KEY_ERRORS, 413, 500, 502, 504]);

/** What can go wrong with any request for pictures. */
export const DRAWING_ERRORS = [400, ...KEY_ERRORS, 413, 415, 422, 500, 502, 503, 504] as const;

/** Errors in OpenAI's shape. */
export function openaiErrors(...statuses: readonly OpenaiStatus[]): Responses {
  return Object.fromEntries(statuses.map((status) => [status, openaiError(status, CASES[status])]));
}

function openaiError(status: OpenaiStatus, { when, ...said }: OpenaiCase): AnyResponse {
  const problem = problemExample(status);
  const { message = problem.detail, param = null, code = null } = said;
  const error: OpenaiError['error'] = { message, type: openaiErrorType(status), param, code };
  const both = { ...problem, error: { ...error, message: problem.detail } };
  const gateway = {
    'application/problem+json': { schema: schemaRef('Problem'), examples: { gateway: { value: both } } },
  };
  return {
    description: when,
    headers: errorHeaders(status),
    content: {
      'application/json': { schema: schemaRef('OpenaiError'), examples: { error: { value: { error } } } },
      ...(GATEWAY.has(status) ? gateway : {}),
    },
  };
}
