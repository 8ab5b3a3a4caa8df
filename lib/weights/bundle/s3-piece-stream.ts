import { Readable } from 'node:stream';

/** What a socket takes at once. */
const PIECE_BYTES = 128 * 1024;

/** `bytes` as a stream of views, each told to `onPiece` when it is taken. */
export function pieceStream(bytes: Uint8Array, onPiece: (count: number) => void): Readable {
  let at = 0;
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      this.push(piece.length > 0 ? piece : null);
      if (piece.length > 0) onPiece(piece.length);
    },
  });
}
