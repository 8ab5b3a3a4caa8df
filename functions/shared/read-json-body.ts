import { isUtf8 } from 'node:buffer';
import { MAX_IMAGE_TEXT } from '../../lib/schemas/image-text.js';
import { isJsonObject } from '../../lib/weights/bytes/parse-json.js';
import { whyNotJson } from '../../lib/weights/bytes/why-not-json.js';
import { ProblemError, refusal } from './problem-response.js';

/** A request has at most 2,000 characters of prompt and a few numbers. */
export const MAX_BODY_BYTES = 64 * 1024;
/** And a picture as text, where it has `image`. */
export const MAX_BODY_WITH_IMAGE_BYTES = MAX_BODY_BYTES + MAX_IMAGE_TEXT;
/** Of what is repeated to whoever has sent it, or looked at to tell what it is. Characters. */
const MAX_SHOWN = 80;

/** What `curl -d`, `fetch` and others call a body that nobody has named: it may be JSON all the same. */
const UNNAMED: ReadonlySet<string> = new Set(['', 'application/x-www-form-urlencoded', 'text/plain']);

const SAY_JSON =
  "the content type must be application/json: with curl, --json instead of -d, or -H 'content-type: application/json'";

export type JsonBody = Readonly<Record<string, unknown>>;

/**
 * The JSON object in a request's body, read no further than its limit: 64 KiB, and more only where there is an `image`. Where
 * nobody has said what the body is, it is looked at.
 *
 * @throws ProblemError 415 for another content type or an encoding, 413 for a longer body; RequestRefused for broken JSON,
 * for what is no object, and for a body that breaks off
 */
export async function readJsonBody(request: Request): Promise<JsonBody> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !UNNAMED.has(type)) throw new ProblemError(415, SAY_JSON);
  refuseEncoding(request.headers.get('content-encoding') ?? '');
  const bytes = await readBody(request);
  const body = parseJson(bytes);
  if (bytes.length > MAX_BODY_BYTES && !hasImage(body)) throw tooLong(MAX_BODY_BYTES);
  if (isJsonObject(body)) return body;
  if (type !== 'application/json' && !isMeantAsJson(bytes)) throw new ProblemError(415, SAY_JSON);
  throw refusal(
    'body',
    body === undefined ? whyNoJson(bytes) : 'must be a JSON object: {"prompt": "a tree"}',
  );
}

/**
 * What is unpacked has no size that could be told before. RFC 9110, 15.5.16 wants it to be told in `Accept-Encoding`.
 *
 * @throws ProblemError 415
 */
export function refuseEncoding(header: string): void {
  const encodings = header.split(',').map((name) => name.trim());
  const encoding = encodings.filter((name) => !/^(identity)?$/i.test(name)).join(', ');
  if (encoding === '') return;
  const detail = `the body has the encoding ${encoding.slice(0, MAX_SHOWN)}: send it as it is, without Content-Encoding`;
  throw new ProblemError(415, detail, { 'accept-encoding': 'identity' });
}

/** @returns undefined for what is not JSON in UTF-8 */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** What begins as JSON does, or is nothing at all: then what is wrong with it is told, and not its name. */
function isMeantAsJson(bytes: Uint8Array): boolean {
  return /^\s*([{[]|$)/.test(new TextDecoder().decode(bytes.subarray(0, MAX_SHOWN)));
}

function whyNoJson(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'is empty: it must be a JSON object such as {"prompt": "a tree"}';
  if (!isUtf8(bytes)) return 'is not valid JSON: it is not in UTF-8';
  return `is not valid JSON: ${whyNotJson(new TextDecoder().decode(bytes))}`;
}

function hasImage(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'image');
}

function tooLong(limit: number): ProblemError {
  return new ProblemError(413, `the body is longer than ${limit} bytes`);
}

async function readBody(request: Request): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let limit = MAX_BODY_BYTES;
  try {
    for await (const piece of request.body ?? []) {
      length += piece.length;
      pieces.push(piece);
      // Everything but an image has room in so many bytes: its name must have come by now.
      if (length > limit && Buffer.concat(pieces).includes('"image"')) limit = MAX_BODY_WITH_IMAGE_BYTES;
      if (length > limit) throw tooLong(limit);
    }
  } catch (error) {
    throw error instanceof ProblemError ? error : refusal('body', 'broke off before its end');
  }
  return Buffer.concat(pieces, length);
}
