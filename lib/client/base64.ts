import type { ImageBytes } from './generated-images.js';

/** Arguments that a function may be called with in every engine. */
const PIECE = 0x8000;

// For browsers and Node alike, which have nothing newer in common.
export function decodeBase64(text: string): ImageBytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(binary);
}
