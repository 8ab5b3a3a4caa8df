import { ProblemError } from './problem-response.js';

/** A request has at most 2,000 characters of prompt and a few numbers. */
export const MAX_BODY_BYTES = 64 * 1024;

/**
 * The JSON in a request's body, read no further than its limit.
 *
 * @throws ProblemError 415 for another content type, 413 for a longer body, 400 for broken JSON or a body that breaks off
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new ProblemError(415, 'the content type must be application/json');
  const text = new TextDecoder('utf-8', { fatal: true });
  const bytes = await readBody(request).catch((error) => {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(400, 'the body broke off before its end');
  });
  try {
    return JSON.parse(text.decode(bytes));
  } catch {
    throw new ProblemError(400, 'the body is not valid JSON');
  }
}

async function readBody(request: Request): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > MAX_BODY_BYTES)
      throw new ProblemError(413, `the body is longer than ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
