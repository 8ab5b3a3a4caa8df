/** Bytes `start` to `end`, `end` not included; never empty. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
