/** Largest picture to begin with, 3 MiB: with base64 around it twice, it still fits into a Lambda's 6 MB. */
export const MAX_IMAGE_BYTES = 3 * 1024 * 1024;
export const TOO_LONG = `must have at most ${MAX_IMAGE_BYTES} bytes`;

const MAX_BASE64 = Math.ceil(MAX_IMAGE_BYTES / 3) * 4;
/** Of a line of MIME. Characters. */
const LINE = 76;
/** What stands before a data URL's comma: a media type and a parameter or two. Characters. */
const MAX_HEAD = 256;

/** Of a picture as it stands in JSON, where the end of a line is `\r\n` in four letters. Characters. */
export const MAX_IMAGE_TEXT = MAX_BASE64 + Math.ceil(MAX_BASE64 / LINE) * 4 + MAX_HEAD;

/** By the names that are about; the last two say nothing. What a picture is, its bytes tell. */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  ...['image/png', 'image/x-png', 'image/jpeg', 'image/jpg', 'image/pjpeg', 'image/webp'],
  ...['application/octet-stream', ''],
]);

const SCHEME = /^[a-z][a-z0-9+.-]{0,31}:/i;
const [SPACE, EQUALS] = [0x20, 0x3d];
/** For each code of ASCII the letter that it is in base64, those of the URL-safe alphabet included; 0 where it is none. */
const LETTERS = tableOf(/[A-Za-z0-9+/_-]/);
LETTERS.set([0x2b], 0x2d);
LETTERS.set([0x2f], 0x5f);
const LINE_ENDS = tableOf(/[\t\n\f\r]/);

/** The base64 of a picture, plain and in one piece; or what is wrong with the text. */
export type ImageText = { readonly base64: string } | { readonly wrong: string };

/**
 * Reads a picture as people send it: base64 or a data URL of it, in one line or many, in the URL-safe alphabet too, with its
 * padding or without. Source: RFC 4648, RFC 2397, RFC 2045.
 *
 * @param text at most `MAX_IMAGE_TEXT` characters
 */
export function readImageText(text: string): ImageText {
  const head = text.slice(0, MAX_HEAD);
  const scheme = SCHEME.exec(head.trimStart())?.[0].toLowerCase();
  if (scheme === undefined) return readBase64(text, 0);
  if (scheme !== 'data:') return wrong('must be the picture itself, not its address');
  const comma = head.indexOf(',');
  if (comma < 0) return wrong('is a data URL without a comma before its data');
  const [type = '', ...parameters] = head
    .slice(head.indexOf(':') + 1, comma)
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (!MEDIA_TYPES.has(type))
    return wrong(`is a data URL of ${type}: must be image/png, image/jpeg or image/webp`);
  if (!parameters.includes('base64')) return wrong('is a data URL without ;base64 before its comma');
  const data = text.slice(comma + 1);
  const plain = data.includes('%') ? percentDecoded(data) : data;
  if (plain === undefined) return wrong('is a data URL with a % that stands for nothing');
  return readBase64(plain, comma + 1);
}

/** @param start where the text begins in what was sent, for messages. Characters */
function readBase64(text: string, start: number): ImageText {
  const { letters, stop } = collectLetters(text);
  if (stop !== undefined)
    return wrong(`is not base64: it has ${shown(text, stop)} at character ${start + stop + 1}`);
  const { length } = letters;
  if (length === 0) return wrong('must not be empty');
  if (length % 4 === 1)
    return wrong(`is not whole: of ${length} letters of base64 one is too many, or some were cut off`);
  if (Math.floor((length * 3) / 4) > MAX_IMAGE_BYTES) return wrong(TOO_LONG);
  return { base64: new TextDecoder().decode(letters) + '='.repeat(-length & 3) };
}

/**
 * Goes through a text once: letters, with line ends and the spaces beside them anywhere, and at most two = after them.
 *
 * @returns its letters, those of the standard alphabet, up to `stop`, the index of the first character that has no place there
 */
function collectLetters(text: string): { readonly letters: Uint8Array; readonly stop?: number } {
  const letters = new Uint8Array(text.length);
  let count = 0;
  let equals = 0;
  let firstEquals = -1;
  /** Of the first space since the last letter that no line end is beside. */
  let space = -1;
  const stopAt = (stop: number) => ({ letters: letters.subarray(0, count), stop });
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const letter = LETTERS[code] ?? 0;
    if (letter !== 0) {
      if (space >= 0) return stopAt(space);
      if (firstEquals >= 0) return stopAt(firstEquals);
      letters[count++] = letter;
    } else if (code === EQUALS) {
      if (firstEquals < 0) firstEquals = index;
      if (++equals > 2) return stopAt(firstEquals);
    } else if (LINE_ENDS[code]) {
      space = -1;
    } else if (code !== SPACE) {
      return stopAt(index);
    } else if (space < 0 && LETTERS[text.charCodeAt(index - 1)]) {
      space = index;
    }
  }
  return { letters: letters.subarray(0, count) };
}

/** For each code of ASCII itself where its character is one of these, else 0. */
function tableOf(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 0x80 }, (_, code) =>
    characters.test(String.fromCharCode(code)) ? code : 0,
  );
}

/** A character as it can be told from those that look alike, or like nothing. */
function shown(text: string, index: number): string {
  const code = text.codePointAt(index) ?? 0;
  if (code === SPACE) return 'a space (which + becomes in a form)';
  if (code === EQUALS) return '=, before its end,';
  if (code > SPACE && code < 0x7f) return String.fromCodePoint(code);
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function wrong(what: string): { readonly wrong: string } {
  return { wrong: what };
}
