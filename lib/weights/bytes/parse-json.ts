import { AppError } from '../../errors/app-error.js';
import { foreignContent } from './foreign-content.js';
import { quoteName } from './quote-name.js';
import { findRepeatedName, whyNotJson } from './why-not-json.js';

/**
 * Values in one document. Each takes tens of bytes of memory, so that this bounds what a file made to be
 * costly can take to some hundred MB; a tensor needs about ten, so that it allows 400,000 of them.
 */
const MAX_JSON_VALUES = 4_000_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;

/**
 * Any JSON file of a model, at import and at load, without the surprises of `JSON.parse`: a name that is given
 * twice (the last would win) and a document that takes gigabytes of memory. A byte order mark is skipped, as
 * editors on Windows write it.
 *
 * @param bytes UTF-8
 * @param subject what the document is, for messages
 * @throws AppError INVALID_FILE, which says what is there instead or what is wrong with it
 */
export function parseJson(bytes: Uint8Array, subject: string): unknown {
  const { members, values } = countStructure(bytes);
  if (values > MAX_JSON_VALUES)
    throw new AppError('INVALID_FILE', `${subject} has more than ${MAX_JSON_VALUES} values`);
  const text = decodeUtf8(bytes, subject);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const foreign = foreignContent(bytes);
    const problem = foreign ? `is ${foreign}` : `is not JSON: ${whyNotJson(text)}`;
    throw new AppError('INVALID_FILE', `${subject} ${problem}`, { cause });
  }
  if (countMembers(value) !== members) {
    const name = quoteName(findRepeatedName(text) ?? '');
    throw new AppError('INVALID_FILE', `${subject} gives the same name twice in one object: ${name}`);
  }
  return value;
}

/** As `parseJson`, for a document that must be an object. */
export function parseJsonObject(bytes: Uint8Array, subject: string): Record<string, unknown> {
  const value = parseJson(bytes, subject);
  if (!isJsonObject(value)) throw new AppError('INVALID_FILE', `${subject} must be a JSON object`);
  return value;
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Text of a file, without a byte order mark.
 *
 * @throws AppError INVALID_FILE
 */
export function decodeUtf8(bytes: Uint8Array, subject: string): string {
  const [first, second] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // Text of these files begins with a character of ASCII, which in UTF-16 has one byte that is 0.
  const isUtf16 = isMarked || first === 0 || second === 0;
  try {
    if (!isUtf16) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const foreign = foreignContent(bytes);
    const problem = foreign ? `is ${foreign}` : 'cannot be read as UTF-8';
    throw new AppError('INVALID_FILE', `${subject} ${problem}`, { cause });
  }
  throw new AppError('INVALID_FILE', `${subject} is UTF-16 text or binary: save it as UTF-8`);
}

/**
 * Members and values of a JSON text, as written: outside strings each colon is a member, and each comma or
 * opening bracket at most one value. Bytes will do: in UTF-8 these characters appear as nothing else.
 */
function countStructure(bytes: Uint8Array): { members: number; values: number } {
  let members = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) inString = !inString;
    else if (inString) i += byte === BACKSLASH ? 1 : 0;
    else if (byte === COLON) members += 1;
    else if (byte === COMMA || byte === OPEN_BRACKET || byte === OPEN_BRACE) values += 1;
  }
  return { members, values };
}

/** Members of a parsed value. A name given twice is one member here. */
function countMembers(value: unknown): number {
  let members = 0;
  // Not recursive: the nesting may be as deep as the document is long.
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null) continue;
    const children = Object.values(next);
    if (!Array.isArray(next)) members += children.length;
    for (const child of children) rest.push(child);
  }
  return members;
}
