import type { ByteRange } from './byte-range.js';

/**
 * Looks at a chunk that was read, and throws where its bytes may not be in a bundle.
 *
 * @param range of the chunk in the file
 */
export type ChunkCheck = (chunk: Uint8Array, range: ByteRange) => Promise<void>;
