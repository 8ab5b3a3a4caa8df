/** The formats that are read. What a file is called, or is said to be, does not matter. */
export type PictureFormat = 'png' | 'jpeg' | 'webp';

/** What a reader needs of a file to tell its format. Bytes. */
export const SIGNATURE_BYTES = 12;

/** The format that a file's first bytes tell; undefined for any that is not read. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES));
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  return /^RIFF.{4}WEBP$/s.test(start) ? 'webp' : undefined;
}
