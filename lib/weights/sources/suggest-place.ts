import { fileURLToPath } from 'node:url';
import { suggestHubUrl } from './hub/suggest-hub-url.js';
import { formatS3Url, parseS3Url } from './s3/s3-location.js';

/** `s3:`, in any case, and Hadoop's names for it; the ARN; the addresses of a bucket, by host and by path. */
const BUCKETS = [
  /^s3[an]?:\/*([^/]+)(\/.*)?$/i,
  /^arn:aws[\w-]*:s3:::([^/]+)(\/.*)?$/i,
  /^https?:\/\/([^/@]+)\.s3[.-][^/@]*amazonaws\.com(?:\.cn)?(\/[^?#]*)?/i,
  /^https?:\/\/s3[.-][^/@]*amazonaws\.com(?:\.cn)?\/([^/]+)(\/[^?#]*)?/i,
];

/** How a place is spelt here that `text` names in another way: a hub's page, a bucket's address, a file URL. */
export function suggestPlace(text: string): string | undefined {
  const trimmed = text.trim().replace(/^["'<]|["'>]$/g, '');
  return suggestHubUrl(trimmed) ?? suggestBucket(trimmed) ?? suggestPath(trimmed);
}

function suggestBucket(text: string): string | undefined {
  for (const form of BUCKETS) {
    const [, bucket, prefix = ''] = form.exec(text) ?? [];
    if (bucket !== undefined)
      return valid(() => formatS3Url(parseS3Url(`s3://${bucket.toLowerCase()}${prefix}`)));
  }
  return undefined;
}

function suggestPath(text: string): string | undefined {
  if (!/^file:\//i.test(text)) return undefined;
  return valid(() => fileURLToPath(text));
}

function valid(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
