import { AppError } from '../errors/app-error.js';
import { CHUNK_SIZE } from '../schemas/manifest.js';
import { checkNumbers } from '../weights/checkpoint/check-numbers.js';
import { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../weights/checkpoint/directory-checkpoint.js';
import { readSafetensorsHeader } from '../weights/checkpoint/safetensors-header.js';

/**
 * Looks for numbers that are none in a network's weights: 10 MB of an AutoencoderTiny. An import refuses them; one that
 * made bundles of version 1 did not.
 *
 * @param folder of the network, in a bundle
 * @throws AppError BAD_NUMBERS, which names the file and the tensor
 */
export async function assertWeights(folder: string): Promise<void> {
  const reader = new CheckpointReader(new DirectoryCheckpoint(folder));
  const files = [...(await reader.list(''))].filter((file) => file.endsWith('.safetensors'));
  for (const file of files) await assertFile(reader, file);
}

async function assertFile(reader: CheckpointReader, file: string): Promise<void> {
  const tensors = await readSafetensorsHeader(reader, file);
  const check = checkNumbers(tensors, reader, file);
  const size = (await reader.size(file)) ?? 0;
  for (let start = 0; start < size; start += CHUNK_SIZE) {
    const range = { start, end: Math.min(size, start + CHUNK_SIZE) };
    const chunk = await reader.readRange(file, range);
    await check(chunk, range).catch((cause: Error) => {
      throw new AppError('BAD_NUMBERS', cause.message, { cause });
    });
  }
}
