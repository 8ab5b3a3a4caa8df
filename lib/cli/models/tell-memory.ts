import { AppError } from '../../errors/app-error.js';
import type { PlannedFile } from '../../export/import-checkpoint.js';
import { availableMemory, wholeMemory } from '../../weights/disk/available-memory.js';
import { formatBytes } from '../format-bytes.js';

/** What drawing takes for each byte of float16 weights: twice as large in float32, and networks need room beside them. */
export const MEMORY_FACTOR = 3;
/** The weights alone. */
const LEAST_FACTOR = 2;

export interface Memory {
  /** Bytes that this process may still take. */
  readonly available: number;
  /** Bytes of the machine, or of its container. */
  readonly whole: number;
}

/**
 * Looks whether a bundle can be drawn with on this machine's CPU.
 *
 * @param note told of what may be too little
 * @throws AppError UNAVAILABLE where it is by far
 */
export function tellMemory(
  files: readonly PlannedFile[],
  note: (line: string) => void,
  memory: Memory = { available: availableMemory(), whole: wholeMemory() },
): void {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const takes = `to draw with it takes about ${formatBytes(MEMORY_FACTOR * size)} of memory`;
  if (memory.whole < LEAST_FACTOR * size) {
    const advice = 'draw on a service (--endpoint), or with sd-turbo-demo (without --model)';
    const message = `${takes}, and there are ${formatBytes(memory.whole)} in all: ${advice}`;
    throw new AppError('UNAVAILABLE', message, { retryable: false });
  }
  if (memory.available < MEMORY_FACTOR * size)
    note(`${takes}, and ${formatBytes(memory.available)} are free: it may be slow, or ended by the system`);
}
