import { MAX_IMAGE_BYTES } from '../../../lib/schemas/request.js';
import { readBounded } from '../../../lib/weights/bytes/read-bounded.js';
import { ProblemError } from '../../shared/problem-response.js';
import { MAX_BODY_BYTES, refuseEncoding } from '../../shared/read-json-body.js';

/** A picture, and fields as many as fit into a body without one. */
const MAX_FORM_BYTES = MAX_IMAGE_BYTES + MAX_BODY_BYTES;
/** Of OpenAI's request there are fewer than twenty. */
const MAX_PARTS = 64;

/** Fields whose values are no text in JSON. */
const NUMBERS: ReadonlySet<string> = new Set(['n', 'output_compression', 'partial_images', 'strength']);
/** Some programs write null as they write numbers. */
const NOTHING: ReadonlySet<string> = new Set(['', 'null']);
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false };

export interface Form {
  /** As they would stand in JSON: an empty one says nothing. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** By name, where several may have one; `image[]` is `image`. */
  readonly files: ReadonlyMap<string, readonly Blob[]>;
}

/**
 * A form as OpenAI's clients send it, read no further than its limit and split by the platform's own parser.
 *
 * @throws ProblemError 415 for another content type or an encoding, 413 for a longer body, 400 for what is no form
 */
export async function readForm(request: Request): Promise<Form> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type))
    throw new ProblemError(415, 'the content type must be multipart/form-data, with its boundary');
  refuseEncoding(request.headers.get('content-encoding') ?? '');
  const parts = await parse(await readBody(request), type);
  const fields: [string, unknown][] = [];
  const files = new Map<string, Blob[]>();
  for (const [given, value] of parts) {
    const name = given.replace(/\[\d*\]$/, '');
    if (typeof value === 'string') fields.push([name, jsonValue(name, value)]);
    else files.set(name, [...(files.get(name) ?? []), value]);
  }
  return { fields: Object.fromEntries(fields.filter(([, value]) => value !== undefined)), files };
}

async function readBody(request: Request): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  const tooLong = new ProblemError(413, `the form is longer than ${MAX_FORM_BYTES} bytes`);
  if (declared > MAX_FORM_BYTES) throw tooLong;
  try {
    const body = (request.body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>;
    return await readBounded(body, MAX_FORM_BYTES, 'the form');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'INVALID_FILE') throw tooLong;
    throw new ProblemError(400, 'the body broke off before its end');
  }
}

async function parse(bytes: Uint8Array, type: string): Promise<[string, string | File][]> {
  try {
    const form = await new Response(Uint8Array.from(bytes), { headers: { 'content-type': type } }).formData();
    const parts = [...form];
    if (parts.length <= MAX_PARTS) return parts;
  } catch {
    throw new ProblemError(400, 'the body is not a form: it must end with its boundary');
  }
  throw new ProblemError(400, `the body has more than ${MAX_PARTS} fields`);
}

function jsonValue(name: string, text: string): unknown {
  if (NOTHING.has(text) && name !== 'prompt') return undefined;
  if (NUMBERS.has(name)) return /^\d{1,9}(\.\d{1,20})?$/.test(text) ? Number(text) : text;
  return name === 'stream' ? (BOOLEANS[text.toLowerCase()] ?? text) : text;
}
