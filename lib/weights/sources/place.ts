import { AppError } from '../../errors/app-error.js';
import { type HubLocation, parseHubUrl } from './hub/hub-location.js';
import { networkPrefix } from './network-prefix.js';
import { parseS3Url, type S3Location } from './s3/s3-location.js';
import { suggestPlace } from './suggest-place.js';

/** Where a checkpoint or a bundle is. */
export type Place =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'hub'; readonly location: HubLocation }
  | { readonly kind: 's3'; readonly location: S3Location };

/** Where a bundle is written to, and run from. */
export type BundlePlace = Exclude<Place, { kind: 'hub' }>;
type Kind = Place['kind'];

/** Of a checkpoint, or of a bundle that is to be copied. */
export const SOURCE_KINDS = ['directory', 's3', 'hub'] as const satisfies readonly Kind[];
export const BUNDLE_KINDS = ['directory', 's3'] as const satisfies readonly Kind[];

const FORMS: Readonly<Record<Kind, string>> = {
  directory: 'a directory',
  s3: 's3://BUCKET/PREFIX',
  hub: 'hf:OWNER/NAME[@REVISION]',
};

/**
 * Reads `hf:OWNER/NAME[@REVISION]`, `s3://BUCKET/PREFIX`, or else the path of a directory. What only looks like a place
 * on a network is refused: it would become a folder of that name. Of such a text only the beginning is told, since a URL
 * may have a password in it.
 *
 * @param kinds that the caller can use
 * @throws AppError INVALID_INPUT, which says what is possible; UNSUPPORTED for the hub where it cannot be used
 */
export function parsePlace<K extends Kind>(text: string, kinds: readonly K[]): Extract<Place, { kind: K }> {
  const place = readPlace(text, kinds);
  if (isOneOf(place, kinds)) return place;
  throw new AppError('UNSUPPORTED', onlyReadFrom(text));
}

function readPlace(text: string, kinds: readonly Kind[]): Place {
  if (text === '') throw new AppError('INVALID_INPUT', "'' names no place");
  if (/^hf:(?!\/)/.test(text)) return { kind: 'hub', location: parseHubUrl(text) };
  if (text.startsWith('s3://')) return { kind: 's3', location: parseS3Url(text) };
  const prefix = networkPrefix(text);
  if (prefix === undefined) return { kind: 'directory', path: text };
  throw new AppError(
    'INVALID_INPUT',
    `${prefix}... is no place that can be used here: ${advice(text, kinds)}`,
  );
}

function advice(text: string, kinds: readonly Kind[]): string {
  const meant = suggestPlace(text);
  if (meant === undefined) return `name ${kinds.map((kind) => FORMS[kind]).join(' or ')}`;
  return isOneOf(readPlace(meant, kinds), kinds) ? `did you mean ${meant}?` : onlyReadFrom(meant);
}

function onlyReadFrom(hub: string): string {
  return `${hub} can only be read from: sd-turbo import --from ${hub} --to DIR`;
}

function isOneOf<K extends Kind>(place: Place, kinds: readonly K[]): place is Extract<Place, { kind: K }> {
  return kinds.some((kind) => kind === place.kind);
}
