import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../../../lib/weights/checkpoint/directory-checkpoint.js';

/** A reader of a directory that fails at once. */
export function openDirectory(folder: string): CheckpointReader {
  return new CheckpointReader(new DirectoryCheckpoint(folder), { retries: 0 });
}
