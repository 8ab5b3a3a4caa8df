import type { OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AppError } from '../../../lib/errors/app-error.js';

/** All that is ever read of an answer is its head. */
const MAX_HEAD_BYTES = 16 * 1024;

export interface PostOnceProps {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
  readonly lookup: LookupFunction;
  /** For the name, the connection and TLS together. Milliseconds. */
  readonly connectMs: number;
  /** Aborted when the time for everything is up. */
  readonly signal: AbortSignal;
  /** Certificates to trust, PEM. @default those of Node */
  readonly ca?: string;
}

export interface PostAnswer {
  readonly status: number;
  readonly location: string | undefined;
}

/**
 * One POST on a connection of its own. Follows nothing and does not read the answer's body.
 *
 * @throws AppError UNAVAILABLE, or what `lookup` throws; the message says nothing of the network
 */
export function postOnce(url: URL, props: PostOnceProps): Promise<PostAnswer> {
  const { headers, body, lookup, connectMs, signal, ca } = props;
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      lookup,
      // A pooled connection would skip the lookup.
      agent: false,
      // Else an environment variable could switch it off.
      rejectUnauthorized: true,
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    const late = () => request.destroy(unavailable('the webhook could not be connected to in time'));
    const connecting = setTimeout(late, connectMs);
    request.once('socket', (socket) => socket.once('secureConnect', () => clearTimeout(connecting)));
    request.once('response', (response) => {
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      response.destroy();
    });
    const fail = (error?: Error) => reject(inWords(error, request.socket, signal));
    request.on('error', fail);
    request.once('close', () => {
      clearTimeout(connecting);
      // An upgrade that nobody asked for closes a request without an error.
      fail();
    });
    request.end(body);
  });
}

function inWords(error: Error | undefined, socket: unknown, signal: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  if (signal.aborted) return unavailable('the webhook did not answer in time', error);
  if (socket instanceof TLSSocket && socket.authorizationError) {
    return unavailable("the webhook's TLS certificate was not accepted", error);
  }
  return unavailable('the connection to the webhook failed', error);
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', message, { cause });
}
