import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, crc32ByTable } from '../../../lib/weights/bytes/crc32.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe.each([
  ['crc32', crc32],
  ['crc32ByTable', crc32ByTable],
])('%s', (_, checksum) => {
  it('gives the check value of CRC-32/ISO-HDLC', () => {
    expect(checksum(bytesOf('123456789'))).toBe(0xcbf43926);
    expect(checksum(new Uint8Array())).toBe(0);
  });

  it('goes on from a previous part', () => {
    expect(checksum(bytesOf('456789'), checksum(bytesOf('123')))).toBe(0xcbf43926);
  });

  it('stays below 2^32 and not below 0', () => {
    expect(checksum(new Uint8Array(1))).toBe(0xd202ef8d);
  });
});

describe('crc32ByTable', () => {
  it('equals crc32 for any bytes, cut anywhere', () => {
    const parts = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }));
    fc.assert(
      fc.property(parts, ([head, tail]) => {
        expect(crc32ByTable(tail, crc32ByTable(head))).toBe(crc32(tail, crc32(head)));
      }),
    );
  });

  it.skipIf(zlib.crc32 === undefined)('equals zlib over a megabyte of mixed bytes', () => {
    const bytes = Uint8Array.from({ length: 2 ** 20 + 5 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
    expect(crc32ByTable(bytes)).toBe(zlib.crc32(bytes));
  });
});
