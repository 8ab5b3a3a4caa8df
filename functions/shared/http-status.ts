import type { ErrorCode } from '../../lib/errors/app-error.js';
import type { EndpointFault } from '../../lib/predictions/endpoint.js';

/** The one place where kinds of errors become HTTP statuses. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, 400 | 404 | 409 | 410 | 422 | 500 | 502 | 503>> = {
  INVALID_INPUT: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  GONE: 410,
  UNSUPPORTED: 422,
  UNAVAILABLE: 503,
  BAD_NUMBERS: 502,
  INVALID_FILE: 500,
  INTERNAL: 500,
};

/** What a failure of the endpoint is to its caller; of what it refused it says the status itself. */
export const ENDPOINT_STATUS: Readonly<Record<EndpointFault, 400 | 500 | 502 | 503>> = {
  cold: 503,
  busy: 503,
  lost: 503,
  throttled: 503,
  timeout: 502,
  refused: 400,
  model: 502,
  numbers: 502,
  unknown: 500,
};

/** The RFCs' names of the statuses that this service, or the gateway before it, answers with. */
export const STATUS_TITLE: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
