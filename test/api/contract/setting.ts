import { expect } from 'vitest';
import { problemSchema } from '../../../lib/schemas/problem.js';
import { expectDocumented } from '../../support/expect-documented.js';

/** Stands in every prompt, key and private header of the suite: no log may have it. */
export const MARKER = 'xylophone7731';

/** The line of a worker's log for each picture that it has drawn. */
export const DRAWN = /"message":"invocation",[^\n]*"status":200/g;

/** One way in which the service runs. */
export interface Setting {
  /** From a `Request` at `baseUrl` to its answer. */
  readonly send: (request: Request) => Promise<Response>;
  /** The service's public URL, without a slash at its end. */
  readonly baseUrl: string;
  /** Headers of a caller who is welcome. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Another one. @default there is one only */
  readonly stranger?: Readonly<Record<string, string>>;
  /** Whether keys are checked here, and not by a gateway that is not part of this setting. */
  readonly checksKeys: boolean;
  /** Whether API Gateway refuses by itself what has no key or no route: without the service's own headers. @default false */
  readonly isBehindGateway?: boolean;
  /** Pixels per side. */
  readonly side: number;
  /** Pictures that the endpoint has made. @default nobody counts */
  readonly drawn?: () => number | Promise<number>;
  /** Puts the endpoint to sleep; it comes up a little while after it is woken. @default it never sleeps */
  readonly sleep?: () => void | Promise<void>;
  /** A request waits for a wake, and gets its picture where that is over in time. @default it is answered at once, and its picture comes later */
  readonly waitsForWakes?: boolean;
  /** Makes a prediction older than results are kept. @default that cannot be done here */
  readonly expire?: (id: string) => Promise<void>;
  /** Reads an address that the service has given, without a key. @default fetch */
  readonly readAddress?: (url: string) => Promise<Response>;
  /** All that the service has written to stdout and stderr, or would have. */
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

export interface AskProps {
  /** A string is sent as it is, anything else as JSON. @default no body */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default those of the setting */
  readonly credentials?: Readonly<Record<string, string>>;
}

export type Ask = (method: string, path: string, props?: AskProps) => Promise<Response>;

/** Sends requests to a setting, and checks what every answer must have. */
export function asker({ send, baseUrl, credentials: own, isBehindGateway = false }: Setting): Ask {
  return async (method, path, { body, headers = {}, credentials = own } = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await send(
      new Request(baseUrl + path, {
        method,
        headers: { ...type, ...credentials, 'x-private': MARKER, cookie: `session=${MARKER}`, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
    if (isBehindGateway && isRefusal(response)) {
      await problemOf(response.clone());
      return response;
    }
    expect(response.headers.get('x-request-id')).toMatch(/^[\w.-]{1,128}$/);
    expect(response.headers.get('server-timing')).toMatch(/(^|, )total;dur=\d+\.\d$/);
    await expectDocumented(method, path.replace(/\?.*/, ''), response);
    if (response.status >= 400 && !path.startsWith('/v1/')) await problemOf(response.clone());
    return response;
  };
}

/** Whether the gateway has answered, and not the service. */
function isRefusal({ status, headers }: Response): boolean {
  return [401, 403, 404].includes(status) && !headers.has('x-request-id');
}

/** The problem in an answer, which must say the same as its head. */
export async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  if (problem.status === 400) expect(problem.errors ?? []).not.toEqual([]);
  if (!isRefusal(response)) expect(problem.request_id).toBe(response.headers.get('x-request-id'));
  return problem;
}

/** Of a well-behaved caller: waits for nothing. */
export const ASYNC = { prefer: 'respond-async' };

/** A prompt that draws at once, and that is recognized wherever it turns up. */
export const PROMPT = `a tree in a field ${MARKER}`;
