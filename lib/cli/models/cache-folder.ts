import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type HubLocation, hubUrl } from '../../weights/sources/hub/hub-location.js';
import { formatS3Url, type S3Location } from '../../weights/sources/s3/s3-location.js';
import { readEnvironment } from '../environment.js';

/** What file systems take, less what is put behind a name while its folder is filled. Bytes. */
const MAX_NAME = 150;
/** What `encodeURIComponent` leaves and a file system may not take. */
const UNSAFE = /[*'()!~]/;

/** Where bundles that were brought from elsewhere lie on this machine, each in a folder that is named after its place. */
export function cacheRoot(): string {
  return readEnvironment().cache;
}

export function s3Folder(location: S3Location): string {
  return join(cacheRoot(), folderName(formatS3Url(location)));
}

export function hubFolder(location: HubLocation): string {
  return join(cacheRoot(), folderName(hubUrl(location)));
}

/** The name of a place's folder: what `placeOf` reads, or else what nothing but this can find. */
export function folderName(place: string): string {
  const name = encodeURIComponent(place);
  if (name.length <= MAX_NAME && !UNSAFE.test(name)) return name;
  return createHash('sha256').update(place).digest('hex').slice(0, 16);
}

/** The place whose folder this is: the folder's own name where that says nothing more. */
export function placeOf(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
