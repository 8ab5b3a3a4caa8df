import type { Duplex } from 'node:stream';
import { RequestError } from '@hono/node-server';
import { ProblemError, problemResponse, toProblem } from '../shared/problem-response.js';
import { requestId } from '../shared/request-id.js';

/** An answer to what could not be made a `Request`: its target or its Host is none. */
export function answerUnreadable(error: unknown): Response {
  const cause =
    error instanceof RequestError ? new ProblemError(400, 'the target or the Host is none') : error;
  return problemResponse(cause, requestId(new Headers()));
}

/** The same for what is not even HTTP, in the words of the protocol. Nothing else is written to this socket. */
export function refuseUnparsed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  // The caller has gone, or there is an answer on its way already.
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(problemOf(code), requestId(new Headers()));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${problem.request_id}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** @param code of Node's parser */
function problemOf(code: string | undefined): ProblemError {
  if (code === 'HPE_HEADER_OVERFLOW') return new ProblemError(431, 'the path and the headers are too long');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ProblemError(408, 'the request took too long to come');
  return new ProblemError(400, 'this is not valid HTTP');
}
