import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { openaiErrorType, type Problem } from '../../lib/schemas/problem.js';

interface Refusal {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds. @default none */
  readonly retryAfter?: number;
  /** In OpenAI's words. @default none */
  readonly code?: string;
}

/** OpenAI's own word for it, which its clients know. */
const wrongKey = { code: 'invalid_api_key', detail: 'the API key is not one of this service' };
const tooMany = { status: 429, title: 'Too Many Requests' };

/**
 * What the gateway answers itself, by its own names of the occasions, in the words and the shape of the service.
 * Types that are not in it take the words of DEFAULT_4XX or DEFAULT_5XX.
 */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  // The authorizer says so when it finds no key.
  UNAUTHORIZED: {
    status: 401,
    title: 'Unauthorized',
    detail: 'no API key: send it as x-api-key, or as Authorization: Bearer',
  },
  INVALID_API_KEY: { status: 401, title: 'Unauthorized', ...wrongKey },
  ACCESS_DENIED: { status: 403, title: 'Forbidden', ...wrongKey },
  // So the gateway calls a path, or a method of a path, that it does not know.
  MISSING_AUTHENTICATION_TOKEN: {
    status: 404,
    title: 'Not Found',
    detail: 'no such path, or not with this method',
  },
  RESOURCE_NOT_FOUND: { status: 404, title: 'Not Found', detail: 'no such path' },
  BAD_REQUEST_BODY: { status: 400, title: 'Bad Request', detail: 'the body is not valid' },
  BAD_REQUEST_PARAMETERS: { status: 400, title: 'Bad Request', detail: 'the parameters are not valid' },
  REQUEST_TOO_LARGE: { status: 413, title: 'Content Too Large', detail: 'the request is longer than 10 MB' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'Unsupported Media Type',
    detail: 'the content type must be application/json',
  },
  THROTTLED: {
    ...tooMany,
    code: 'rate_limit_exceeded',
    detail: 'more requests a second than the usage plan allows',
    retryAfter: 2,
  },
  QUOTA_EXCEEDED: {
    ...tooMany,
    code: 'insufficient_quota',
    detail: 'more requests in a day than the usage plan allows',
    retryAfter: 3600,
  },
  INTEGRATION_TIMEOUT: {
    status: 504,
    title: 'Gateway Timeout',
    detail: 'no answer within 29 s',
    retryAfter: 2,
  },
  INTEGRATION_FAILURE: { status: 502, title: 'Bad Gateway', detail: 'the service could not answer' },
  DEFAULT_4XX: { status: 400, title: 'Bad Request', detail: 'the request cannot be answered' },
  DEFAULT_5XX: { status: 500, title: 'Internal Server Error', detail: 'an internal error; the log has it' },
};

/**
 * Gives each refusal of the gateway the shape of the service's own errors, and in the member `error` that of OpenAI's: the
 * gateway fills in variables and cannot choose by the path, and RFC 9457 lets a problem have members of others.
 */
export function addGatewayResponses(api: RestApi): void {
  for (const [type, { status, title, detail, retryAfter, code = null }] of Object.entries(REFUSALS)) {
    const problem: Problem = {
      type: 'about:blank',
      title,
      status,
      detail,
      request_id: '$context.requestId',
      error: { message: detail, type: openaiErrorType(status), param: null, code },
    };
    api.addGatewayResponse(`Refusal${type}`, {
      type: ResponseType.of(type),
      statusCode: String(status),
      responseHeaders: {
        'content-type': "'application/problem+json'",
        ...(retryAfter !== undefined && { 'retry-after': `'${retryAfter}'` }),
      },
      // The gateway chooses no template of another type unless the request asks for it; the header says what it is.
      templates: { 'application/json': JSON.stringify(problem) },
    });
  }
}
