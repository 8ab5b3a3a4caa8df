import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { ANY_ORIGIN } from '../../lib/schemas/cors-origins.js';
import { openaiErrorType, type Problem } from '../../lib/schemas/problem.js';

interface Refusal {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds. @default none */
  readonly retryAfter?: number;
  /** @default none */
  readonly errors?: Problem['errors'];
  /** In OpenAI's words. @default none */
  readonly code?: string;
}

/** OpenAI's own word for a key that is none, which its clients know. */
const wrongKey = { status: 401, title: 'Unauthorized', code: 'invalid_api_key' };
const NO_SUCH_PATH = 'POST /predict draws a picture, and GET /docs tells of all there is';
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
    detail: 'no API key: send it as x-api-key: KEY, or as Authorization: Bearer KEY',
  },
  // It says why: an `Authorization` without a key in it.
  ACCESS_DENIED: { ...wrongKey, detail: '$context.authorizer.reason' },
  INVALID_API_KEY: { ...wrongKey, detail: 'the API key is not one of this service' },
  // So the gateway calls a path, or a method of a path, that it does not know.
  MISSING_AUTHENTICATION_TOKEN: {
    status: 404,
    title: 'Not Found',
    detail: `no such path, or not with this method: ${NO_SUCH_PATH}`,
  },
  RESOURCE_NOT_FOUND: { status: 404, title: 'Not Found', detail: `no such path: ${NO_SUCH_PATH}` },
  BAD_REQUEST_BODY: badRequest('body', 'is not valid'),
  BAD_REQUEST_PARAMETERS: badRequest('parameters', 'are not valid'),
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
  DEFAULT_4XX: badRequest('request', 'cannot be answered'),
  DEFAULT_5XX: { status: 500, title: 'Internal Server Error', detail: 'an internal error; the log has it' },
};

function badRequest(field: string, message: string): Refusal {
  const detail = `${field}: ${message}`;
  return { status: 400, title: 'Bad Request', detail, errors: [{ field, message }] };
}

/**
 * Gives each refusal of the gateway the shape of the service's own errors, and in the member `error` that of OpenAI's: the
 * gateway fills in variables and cannot choose by the path, and RFC 9457 lets a problem have members of others.
 *
 * @param corsOrigins of pages elsewhere that may read them. @default none
 */
export function addGatewayResponses(api: RestApi, corsOrigins?: readonly string[]): void {
  for (const [type, { retryAfter, code = null, ...said }] of Object.entries(REFUSALS)) {
    const { status, detail } = said;
    const error = { message: detail, type: openaiErrorType(status), param: null, code };
    const problem: Problem = { type: 'about:blank', ...said, request_id: '$context.requestId', error };
    api.addGatewayResponse(`Refusal${type}`, {
      type: ResponseType.of(type),
      statusCode: String(said.status),
      responseHeaders: {
        'content-type': "'application/problem+json'",
        ...(retryAfter !== undefined && { 'retry-after': `'${retryAfter}'` }),
        ...(corsOrigins && crossOriginHeaders(corsOrigins)),
      },
      // The gateway chooses no template of another type unless the request asks for it; the header says what it is.
      templates: { 'application/json': JSON.stringify(problem) },
    });
  }
}

/**
 * The gateway cannot choose among origins, and these answers tell nobody a secret: of several origins all may read them. What
 * the function answers is for those that are listed.
 */
function crossOriginHeaders(origins: readonly string[]): Record<string, string> {
  const [origin = ANY_ORIGIN, ...others] = origins;
  return {
    'access-control-allow-origin': `'${others.length > 0 ? ANY_ORIGIN : origin}'`,
    'access-control-expose-headers': "'retry-after'",
  };
}
