import { AppError } from '../../lib/errors/app-error.js';
import type { ProblemDetails } from './problem-response.js';

/** A request has at most 2,000 characters of prompt and a few numbers. */
export const MAX_BODY_BYTES = 64 * 1024;

/** A body that cannot be read, with the status that says so. */
export class BodyRefused extends AppError implements ProblemDetails {
  readonly status: number;
  readonly detail: string;

  constructor(status: 400 | 413 | 415, detail: string) {
    super('INVALID_INPUT', detail);
    this.status = status;
    this.detail = detail;
  }
}

/**
 * The JSON in a request's body, read no further than its limit.
 *
 * @throws BodyRefused 415 for another content type, 413 for a longer body, 400 for broken JSON
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new BodyRefused(415, 'the content type must be application/json');
  const text = new TextDecoder('utf-8', { fatal: true });
  const bytes = await readBody(request);
  try {
    return JSON.parse(text.decode(bytes));
  } catch {
    throw new BodyRefused(400, 'the body is not valid JSON');
  }
}

async function readBody(request: Request): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > MAX_BODY_BYTES)
      throw new BodyRefused(413, `the body is longer than ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
