import type { OpenaiError } from '../../../lib/schemas/openai.js';
import { schemaRef } from './component-schemas.js';
import { OPENAI_ANSWER } from './examples.js';
import { headerRefs } from './headers.js';
import type { AnyResponse, Operation } from './openapi-types.js';
import { type ErrorStatus, errorHeaders, KEY_ERRORS, problemExample } from './problem-responses.js';

interface OpenaiCase {
  readonly when: string;
  readonly type: OpenaiError['error']['type'];
  /** @default that of a problem with this status */
  readonly message?: string;
  /** @default null */
  readonly param?: string;
  /** @default null */
  readonly code?: string;
}

const CASES: Readonly<Partial<Record<ErrorStatus, OpenaiCase>>> = {
  400: {
    when: 'A field is wrong.',
    type: 'invalid_request_error',
    message: 'size: must be 512x512 or auto',
    param: 'size',
  },
  401: { when: 'There is no key.', type: 'authentication_error' },
  403: { when: 'The key is not good.', type: 'authentication_error' },
  413: { when: 'The body is longer than 64 KiB.', type: 'invalid_request_error' },
  415: { when: 'The body is not `application/json`, or is compressed.', type: 'invalid_request_error' },
  422: { when: 'The model cannot do it.', type: 'invalid_request_error' },
  429: { when: "The key's rate or quota is used up.", type: 'rate_limit_error' },
  500: { when: 'Our fault.', type: 'server_error' },
  502: { when: 'The model failed, or did not answer in time.', type: 'server_error' },
  503: {
    when: 'The endpoint is cold, and being woken, or busy: ask again after `Retry-After`.',
    type: 'server_error',
    message: 'the endpoint is asleep and being woken',
    code: 'model_not_ready',
  },
  504: { when: 'The gateway gave up waiting.', type: 'server_error' },
};

/** What the gateway answers itself has the shape of all other routes. */
const GATEWAY: ReadonlySet<ErrorStatus> = new Set([...KEY_ERRORS, 413, 500, 502, 504]);

export const GENERATE_IMAGES: Operation = {
  operationId: 'generateImages',
  summary: 'Generate (OpenAI)',
  description:
    'For programs that speak to OpenAI: give them this URL with `/v1`, and the key. Pictures come as `b64_json`. Cold is ' +
    "503 with `Retry-After`, which OpenAI's clients follow by their own retries.",
  tags: ['Pictures'],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('OpenaiImageRequest'),
        examples: {
          shortest: { value: { prompt: 'A tree in a field under the night sky' } },
          everything: {
            value: {
              prompt: 'A lighthouse on a beach in a storm',
              n: 1,
              size: '512x512',
              response_format: 'b64_json',
              output_format: 'png',
            },
          },
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The pictures.',
      headers: headerRefs(),
      content: {
        'application/json': {
          schema: schemaRef('OpenaiImageAnswer'),
          examples: { one: { value: OPENAI_ANSWER } },
        },
      },
    },
    ...Object.fromEntries(
      Object.entries(CASES).map(([status, error]) => [
        status,
        openaiError(Number(status) as ErrorStatus, error),
      ]),
    ),
  },
};

function openaiError(status: ErrorStatus, { when, type, ...said }: OpenaiCase): AnyResponse {
  const problem = problemExample(status);
  const { message = problem.detail, param = null, code = null } = said;
  const value: OpenaiError = { error: { message, type, param, code } };
  const gateway = {
    'application/problem+json': { schema: schemaRef('Problem'), examples: { gateway: { value: problem } } },
  };
  return {
    description: when,
    headers: errorHeaders(status),
    content: {
      'application/json': { schema: schemaRef('OpenaiError'), examples: { error: { value } } },
      ...(GATEWAY.has(status) ? gateway : {}),
    },
  };
}
