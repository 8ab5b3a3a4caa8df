import * as zlib from 'node:zlib';

/** The polynomial of zlib, PNG and gzip, reflected. */
const POLYNOMIAL = 0xedb88320;

/** How many bytes one round of the table takes ("slicing by 8"). */
const SLICES = 8;

/** TABLE[256 * k + b]: what byte b followed by k zero bytes does to the register. */
const TABLE = makeTable();

/**
 * CRC-32 as zlib has it, 0..2^32-1. Node's own from 20.15 on, the table before.
 *
 * @param previous the CRC-32 of the bytes before these, to go on from. @default 0
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  // Absent in Node 20.11 to 20.14, whatever the types say.
  return zlib.crc32 === undefined ? crc32ByTable(bytes, previous) : zlib.crc32(bytes, previous);
}

/** `crc32` without Node's help. */
export function crc32ByTable(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let at = 0;
  const look = (slice: number, byte: number) => TABLE[256 * slice + (byte & 0xff)] as number;
  const word = (from: number) =>
    (bytes[from] as number) |
    ((bytes[from + 1] as number) << 8) |
    ((bytes[from + 2] as number) << 16) |
    ((bytes[from + 3] as number) << 24);
  for (; at + SLICES <= bytes.length; at += SLICES) {
    const low = crc ^ word(at);
    const high = word(at + 4);
    crc =
      look(7, low) ^
      look(6, low >>> 8) ^
      look(5, low >>> 16) ^
      look(4, low >>> 24) ^
      look(3, high) ^
      look(2, high >>> 8) ^
      look(1, high >>> 16) ^
      look(0, high >>> 24);
  }
  for (; at < bytes.length; at++) crc = look(0, crc ^ (bytes[at] as number)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  const table = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const shorter = table[i - 256] as number;
    table[i] = (table[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return table;
}
