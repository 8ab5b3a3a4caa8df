import { Readable } from 'node:stream';
import { AppError } from '../../lib/errors/app-error.js';
import { type EndpointAnswer, EndpointError, type InvokeContext } from '../../lib/predictions/endpoint.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import type { SeededRequest } from '../../lib/schemas/prediction.js';
import { type Problem, problemSchema } from '../../lib/schemas/problem.js';
import { readBounded } from '../../lib/weights/bytes/read-bounded.js';
import { parseServerTiming } from './server-timing.js';

/** Four pictures of 2048 x 2048 that PNG cannot make smaller, in base64. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How a request reaches the container's routes: over a socket, or within a process. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/**
 * One request to the container's routes.
 *
 * @param url of the server, without a slash at its end
 * @param send @default fetch
 * @throws EndpointError never `cold`: there is a server
 */
export async function invokeEndpoint(
  url: string,
  request: SeededRequest,
  context: InvokeContext,
  send: Send = fetch,
): Promise<EndpointAnswer> {
  const { response, body } = await post(url, request, context, send);
  if (response.ok) {
    const { data, error } = generateAnswerSchema.safeParse(body);
    if (error)
      throw new EndpointError('unknown', 'the endpoint gave an answer that is none', { cause: error });
    return { answer: data, timings: parseServerTiming(response.headers.get('server-timing')) };
  }
  const { status } = response;
  const problem = problemSchema.safeParse(body).data;
  const options = problem ? { problem } : {};
  const message = `the endpoint answered ${status}${describe(problem)}`;
  if (status === 503) throw new EndpointError('busy', message, options);
  // The container's own word for it: nothing else in it answers 502.
  if (status === 502 && problem) throw new EndpointError('numbers', message, options);
  if (status >= 500) throw new EndpointError('model', message, options);
  if (status >= 400 && problem) throw new EndpointError('refused', message, options);
  throw new EndpointError('unknown', message, options);
}

async function post(url: string, request: SeededRequest, { requestId, signal }: InvokeContext, send: Send) {
  try {
    const response = await send(`${url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': requestId },
      body: JSON.stringify(request),
      signal,
    });
    const bytes = await readBounded(response.body ?? Readable.from([]), MAX_ANSWER_BYTES, 'the answer');
    return { response, body: parseJson(bytes) };
  } catch (cause) {
    if (signal.aborted) throw new EndpointError('timeout', 'the endpoint gave no answer in time', { cause });
    if (cause instanceof AppError) throw new EndpointError('unknown', cause.message, { cause });
    if (isRefused(cause)) throw new EndpointError('busy', 'the endpoint takes no connection', { cause });
    throw new EndpointError('lost', 'the connection to the endpoint was lost', { cause });
  }
}

/** Whether nobody listens there: the request never went out. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED';
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function describe(problem: Problem | undefined): string {
  return problem ? `: ${problem.detail}` : '';
}
