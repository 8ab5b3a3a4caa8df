import { crc32, deflateSync } from 'node:zlib';

/** Channels by PNG colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** x, y, and the steps in both directions of Adam7's passes. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const PAETH = 4;

export interface PngProps {
  readonly width: number;
  readonly height: number;
  /** @default 8 */
  readonly depth?: number;
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. @default 2 */
  readonly colour?: number;
  /** @default false */
  readonly interlaced?: boolean;
  /** Between header and pixels. @default none */
  readonly chunks?: readonly Buffer[];
  /** Rows with their filter bytes. @default zeros, with the filter that takes longest */
  readonly rows?: Buffer;
}

/** A PNG without a library, so that it may be what no library writes. */
export function makePng(props: PngProps): Buffer {
  const { width, height, depth = 8, colour = 2, interlaced = false, chunks = [] } = props;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const rows = props.rows ?? emptyRows(width, height, depth * (CHANNELS[colour] as number), interlaced);
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    ...(colour === 3 ? [pngChunk('PLTE', Buffer.alloc(3 << Math.min(depth, 8), 99))] : []),
    ...chunks,
    pngChunk('IDAT', deflateSync(rows, { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

export const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

function emptyRows(width: number, height: number, bits: number, interlaced: boolean): Buffer {
  const passes = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  const sizes = passes.map(([x, y, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return columns > 0 && rows > 0
      ? { stride: 1 + Math.ceil((columns * bits) / 8), rows }
      : { stride: 1, rows: 0 };
  });
  const bytes = Buffer.alloc(sizes.reduce((sum, { stride, rows }) => sum + stride * rows, 0));
  let at = 0;
  for (const { stride, rows } of sizes) {
    for (let row = 0; row < rows; row++, at += stride) bytes[at] = PAETH;
  }
  return bytes;
}

export interface ProgressiveJpegProps {
  readonly width: number;
  readonly height: number;
  /** 1 or 3, without subsampling. */
  readonly components: number;
  /** After the first, each over all blocks and a few bytes long. */
  readonly scans: number;
}

/** A progressive JPEG, grey all over, whose scans are runs of empty blocks. */
export function makeProgressiveJpeg({ width, height, components, scans }: ProgressiveJpegProps): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const ids = Array.from({ length: components }, (_, index) => index + 1);
  const frame = [8, height >> 8, height & 255, width >> 8, width & 255, components];
  for (const id of ids) frame.push(id, 0x11, 0);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    segment(0xc2, frame),
    // One code of one bit: DC differences of no bits, AC runs of 2^14 blocks and more.
    segment(0xc4, [0x00, 1, ...Array<number>(15).fill(0), 0x00]),
    segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 0xe0]),
    segment(0xda, [components, ...ids.flatMap((id) => [id, 0]), 0, 0, 0]),
    Buffer.alloc(Math.ceil((blocks * components) / 8)),
    ...Array.from({ length: scans }, (_, scan) => emptyScan((scan % components) + 1, blocks)),
    Buffer.from([0xff, 0xd9]),
  ]);
}

/** @param data without its length */
export function segment(marker: number, data: readonly number[] | Uint8Array): Buffer {
  const length = data.length + 2;
  return Buffer.concat([Buffer.from([0xff, marker, length >> 8, length & 255]), Buffer.from(data)]);
}

/** AC coefficients of one component: all blocks in runs of at most 32,767, 15 bits each. */
function emptyScan(component: number, blocks: number): Buffer {
  let bits = '';
  for (let left = blocks; left >= 0x4000; ) {
    const run = Math.min(left, 0x7fff);
    bits += `0${(run - 0x4000).toString(2).padStart(14, '0')}`;
    left -= run;
  }
  bits += '1'.repeat((8 - (bits.length % 8)) % 8);
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 8) {
    const byte = Number.parseInt(bits.slice(at, at + 8), 2);
    bytes.push(byte, ...(byte === 255 ? [0] : []));
  }
  return Buffer.concat([segment(0xda, [1, component, 0x10, 1, 63, 0]), Buffer.from(bytes)]);
}

export interface WebpChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

export function makeWebp(chunks: readonly WebpChunk[]): Buffer {
  const body = chunks.map(({ type, data }) => {
    const bytes = Buffer.alloc(8 + data.length + (data.length & 1));
    bytes.write(type, 0, 'latin1');
    bytes.writeUInt32LE(data.length, 4);
    bytes.set(data, 8);
    return bytes;
  });
  const all = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'), ...body]);
  all.writeUInt32LE(all.length - 8, 4);
  return all;
}

export function readWebp(bytes: Buffer): WebpChunk[] {
  const chunks: WebpChunk[] = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    chunks.push({
      type: bytes.toString('latin1', at, at + 4),
      data: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length + (length & 1);
  }
  return chunks;
}

/** An animation whose frames are all the picture of a still WebP, as large as the canvas. */
export function animate(still: Buffer, width: number, height: number, frames: number): Buffer {
  const picture = readWebp(still).find(({ type }) => type.startsWith('VP8') && type !== 'VP8X');
  if (!picture) throw new Error('no picture in the WebP');
  const size = Buffer.alloc(6);
  size.writeUIntLE(width - 1, 0, 3);
  size.writeUIntLE(height - 1, 3, 3);
  const inner = makeWebp([picture]).subarray(12);
  const frame = Buffer.concat([Buffer.alloc(6), size, Buffer.from([10, 0, 0, 0]), inner]);
  return makeWebp([
    { type: 'VP8X', data: Buffer.concat([Buffer.from([0x12, 0, 0, 0]), size]) },
    { type: 'ANIM', data: Buffer.alloc(6) },
    ...Array<WebpChunk>(frames).fill({ type: 'ANMF', data: frame }),
  ]);
}
