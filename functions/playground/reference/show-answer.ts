import { pictureFormat, SIGNATURE_BYTES } from '../../../lib/image/picture-format.js';
import { make } from '../dom.js';
import { toDataUrl } from '../to-data-url.js';
import { duration } from '../words.js';

/** What is longer in an answer is cut for the eye: pictures are megabytes of base64. Characters. */
const LONGEST_TEXT = 200;
const SHOWN_TEXT = 48;
/** Characters of base64 that have a picture's signature. */
const SIGNATURE_TEXT = Math.ceil(SIGNATURE_BYTES / 3) * 4;

/** Shows status, headers and body, and the pictures in it. @param milliseconds until the headers were there */
export async function showAnswer(
  place: HTMLElement,
  response: Response,
  milliseconds: number,
): Promise<void> {
  const { status, statusText, ok, headers } = response;
  const title = make('p', {}, make('b', { className: ok ? 'status ok' : 'status bad' }, String(status)));
  title.append(` ${statusText} in ${duration(milliseconds)}`);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  const body = await readBody(response);
  place.replaceChildren(title, ...body, make('h4', {}, 'Headers'), block(lines));
}

export function showTrouble(place: HTMLElement, text: string): void {
  place.replaceChildren(make('p', {}, text));
}

async function readBody(response: Response): Promise<HTMLElement[]> {
  if (response.headers.get('content-type')?.startsWith('image/'))
    return [picture(await toDataUrl(await response.blob()))];
  const text = await response.text();
  try {
    const pictures: string[] = [];
    const json = JSON.stringify(JSON.parse(text), (_, value) => shorten(value, pictures), 2);
    return [...new Set(pictures)].map(picture).concat(block(json));
  } catch {
    return text === '' ? [] : [block(text)];
  }
}

/** @param pictures gets those that are found, as `data:` */
function shorten(value: unknown, pictures: string[]): unknown {
  if (typeof value !== 'string' || value.length <= LONGEST_TEXT) return value;
  const format = formatOf(value);
  if (format) pictures.push(`data:image/${format};base64,${value}`);
  return `${value.slice(0, SHOWN_TEXT)}… (${value.length} characters)`;
}

function formatOf(base64: string): string | undefined {
  try {
    return pictureFormat(
      Uint8Array.from(atob(base64.slice(0, SIGNATURE_TEXT)), (character) => character.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}

function picture(src: string): HTMLElement {
  return make('img', { src, alt: 'Picture of the answer' });
}

function block(text: string): HTMLElement {
  return make('pre', { className: 'wrap' }, make('code', {}, text));
}
