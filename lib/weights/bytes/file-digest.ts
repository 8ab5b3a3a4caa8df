import { createHash, type Hash } from 'node:crypto';

/** What a source knows of a whole file before anyone has read it. */
export interface FileDigest {
  /** `git-sha1`: git's name of the file, SHA-1 of `blob SIZE\0` and the bytes. */
  readonly algorithm: 'sha256' | 'git-sha1';
  /** In lower case. */
  readonly hex: string;
}

/** @param size of the whole file in bytes */
export function startDigest(algorithm: FileDigest['algorithm'], size: number): Hash {
  return algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

export function digestOf(bytes: Uint8Array, algorithm: FileDigest['algorithm']): string {
  return startDigest(algorithm, bytes.length).update(bytes).digest('hex');
}
