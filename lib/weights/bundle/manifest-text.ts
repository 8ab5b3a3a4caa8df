import type { Manifest } from '../../schemas/manifest.js';

/** A manifest as an import writes it: the same bundle has the same bytes, by which an S3 prefix is known to have it already. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}
