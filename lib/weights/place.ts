import { AppError } from '../errors/app-error.js';
import { type HubLocation, parseHubUrl } from './hub/hub-location.js';
import { parseS3Url, type S3Location } from './s3-location.js';

/** Where a checkpoint or a bundle is. */
export type Place =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'hub'; readonly location: HubLocation }
  | { readonly kind: 's3'; readonly location: S3Location };

/**
 * Reads `hf:OWNER/NAME[@REVISION]`, `s3://BUCKET/PREFIX`, or else the path of a directory.
 *
 * @throws AppError INVALID_INPUT
 */
export function parsePlace(text: string): Place {
  if (text === '') throw new AppError('INVALID_INPUT', 'the name of a place must not be empty');
  if (text.startsWith('hf:')) return { kind: 'hub', location: parseHubUrl(text) };
  if (text.startsWith('s3:')) return { kind: 's3', location: parseS3Url(text) };
  return { kind: 'directory', path: text };
}
