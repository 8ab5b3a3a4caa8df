import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { PNG_SIGNATURE } from '../support/pictures/hostile-pictures.js';

/** Numbers that readers fall over. */
const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
] as const;

/** Of what is repeated: some changes after each other would fill the memory. */
const MAX_BYTES = 500_000;

/** One change to a file. `at` and `to` are parts of its length, from 0 to 1. */
type Damage = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Most headers stand at the beginning. */
const early = fc.oneof(
  place,
  place.map((at) => at ** 4),
);

const flip = fc.tuple(early, fc.integer({ min: 0, max: 7 })).map(
  ([at, bit]): Damage =>
    (bytes) => {
      const index = indexOf(bytes, at);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      return bytes;
    },
);

const overwrite = fc.tuple(early, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
  ([at, data]): Damage =>
    (bytes) => {
      data.forEach((value, offset) => {
        const index = indexOf(bytes, at) + offset;
        if (index < bytes.length) bytes[index] = value;
      });
      return bytes;
    },
);

const number = fc
  .record({
    at: early,
    value: fc.constantFrom(...EDGES),
    size: fc.constantFrom(1, 2, 4),
    little: fc.boolean(),
  })
  .map(
    ({ at, value, size, little }): Damage =>
      (bytes) => {
        const index = indexOf(bytes, at);
        if (index + size > bytes.length) return bytes;
        const low = value % 2 ** (8 * size);
        if (little) bytes.writeUIntLE(low, index, size);
        else bytes.writeUIntBE(low, index, size);
        return bytes;
      },
  );

const cut = early.map(
  (at): Damage =>
    (bytes) =>
      bytes.subarray(0, indexOf(bytes, at)),
);

const remove = fc.tuple(early, early).map(
  ([from, to]): Damage =>
    (bytes) => {
      const [start, end] = [from, to].map((at) => indexOf(bytes, at)).sort((a, b) => a - b) as [
        number,
        number,
      ];
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    },
);

const repeat = fc.tuple(early, early, fc.integer({ min: 1, max: 200 })).map(
  ([from, to, times]): Damage =>
    (bytes) => {
      const [start, end] = [from, to].map((at) => indexOf(bytes, at)).sort((a, b) => a - b) as [
        number,
        number,
      ];
      const piece = bytes.subarray(start, end);
      const room = Math.floor(MAX_BYTES / Math.max(1, piece.length));
      return Buffer.concat([
        bytes.subarray(0, end),
        ...Array<Buffer>(Math.min(times, room)).fill(piece),
        bytes.subarray(end),
      ]);
    },
);

/** The head of one picture, the tail of another. */
const graft = (others: readonly Buffer[]) =>
  fc.tuple(fc.constantFrom(...others), early, early).map(
    ([other, head, tail]): Damage =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, indexOf(bytes, head)), other.subarray(indexOf(other, tail))]),
  );

/** A picture after up to six changes; a PNG's checksums are then made right, without which nobody reads further. */
export function damaged(pictures: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const damage = fc.oneof(flip, overwrite, number, cut, remove, repeat, graft(pictures));
  const damages = fc.array(damage, { minLength: 1, maxLength: 6 });
  return fc.tuple(fc.constantFrom(...pictures), damages, fc.boolean()).map(([picture, changes, mend]) => {
    const bytes = changes.reduce<Buffer>((all, change) => change(all), Buffer.from(picture));
    return mend ? mendPng(bytes) : bytes;
  });
}

function mendPng(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) return bytes;
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) return bytes;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return bytes;
}

function indexOf(bytes: Buffer, at: number): number {
  return Math.max(0, Math.min(bytes.length - 1, Math.floor(at * bytes.length)));
}
