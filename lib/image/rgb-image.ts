/** A finished picture. */
export interface RgbImage {
  /** Red, green, blue per pixel, row by row from the top left: 3 * width * height bytes. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}
