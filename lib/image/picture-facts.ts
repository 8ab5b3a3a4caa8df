import { AppError } from '../errors/app-error.js';
import type { PictureFormat } from './picture-format.js';

/** What a picture's file says of itself, read without unpacking a pixel. */
export interface PictureFacts {
  readonly format: PictureFormat;
  /** As stored: EXIF may turn it. Pixels. */
  readonly width: number;
  readonly height: number;
  /** What a decoder holds of it where it cannot go row by row. */
  readonly unpackedBytes: number;
  /** The file, one after another, without what does not change a pixel and only costs time to read. */
  readonly parts: readonly Uint8Array[];
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** @param rule what it must be; whose picture it is the caller says */
export function refusePicture(rule: string, cause?: unknown): AppError {
  return new AppError('INVALID_INPUT', `must ${rule}`, { cause });
}

export function brokenPicture(cause?: unknown): AppError {
  return refusePicture('be a PNG, JPEG or WebP picture that is whole', cause);
}
