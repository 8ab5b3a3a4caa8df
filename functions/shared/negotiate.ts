import Negotiator from 'negotiator';
import { OUTPUT_FORMATS, type OutputFormat } from '../../lib/schemas/request.js';
import { ProblemError } from './problem-response.js';

const JSON_TYPE = 'application/json';
export const EVENT_STREAM = 'text/event-stream';
/** Some callers name the only charset that JSON has. */
const JSON_TYPES = [JSON_TYPE, `${JSON_TYPE};charset=utf-8`];

/**
 * What `Accept` wants most of what an answer can be: JSON, or the bytes of a picture. Of equal wishes the one that it
 * names first. RFC 9110, 12.5.1.
 *
 * @param formats of the picture: what a request leaves open
 * @returns undefined where it asks for other things only
 */
export function negotiate(
  headers: Headers,
  formats: readonly OutputFormat[],
): 'json' | OutputFormat | undefined {
  const accept = headers.get('accept') ?? '*/*';
  const asksForSomething = new Negotiator({ headers: { accept } }).mediaTypes().length > 0;
  // What only says what it does not want takes the rest.
  const range = asksForSomething ? accept : `*/*, ${accept}`;
  const available = [...JSON_TYPES, ...formats.map(mediaType)];
  const [best] = new Negotiator({ headers: { accept: range } }).mediaTypes(available);
  return best?.startsWith(JSON_TYPE) ? 'json' : formats.find((format) => mediaType(format) === best);
}

/** Whether `Accept` wants a stream of events more than what `negotiate` chooses from. */
export function wantsEvents(headers: Headers): boolean {
  const accept = headers.get('accept') ?? '*/*';
  const available = [...JSON_TYPES, ...OUTPUT_FORMATS.map(mediaType), EVENT_STREAM];
  const [best] = new Negotiator({ headers: { accept } }).mediaTypes(available);
  return best === EVENT_STREAM;
}

/** Tells a caller what there would have been. */
export function notAcceptable(formats: readonly OutputFormat[]): ProblemError {
  const types = [JSON_TYPE, ...formats.map(mediaType)].join(', ');
  return new ProblemError(406, `Accept takes nothing that this answer can be: ${types}`);
}

/** The formats in which a request can be answered with a picture's bytes, as far as its body is understood. */
export function openFormats(body: object): readonly OutputFormat[] {
  const { output_format, num_images, response_format } = body as Record<string, unknown>;
  // Several pictures are JSON's, and so are addresses.
  if ((typeof num_images === 'number' && num_images > 1) || response_format === 'url') return [];
  const named = OUTPUT_FORMATS.filter((format) => format === output_format);
  return named.length > 0 ? named : OUTPUT_FORMATS;
}

function mediaType(format: OutputFormat): string {
  return `image/${format}`;
}
