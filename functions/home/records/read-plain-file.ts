import { constants, open } from 'node:fs/promises';
import { AppError } from '../../../lib/errors/app-error.js';

/** A pipe that nobody writes into would be waited for. Windows has none of these. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** What stands in a file's place is no file, and will not become one: a folder, a socket, links in a circle. */
const NO_FILE = new Set(['EISDIR', 'ENXIO', 'ELOOP']);

/**
 * A file of at most `maxBytes`.
 *
 * @param head so many bytes of it are read. @default all
 * @returns undefined where there is none
 * @throws AppError INVALID_FILE for what is too long or no file; the system's own error for what may pass
 */
export async function readPlainFile(
  file: string,
  maxBytes: number,
  head?: number,
): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(file, FLAGS);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new AppError('INVALID_FILE', `${file} is not a file`);
      if (stats.size > maxBytes)
        throw new AppError('INVALID_FILE', `${file} is longer than ${maxBytes} bytes`);
      if (head === undefined) return await handle.readFile();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(head), 0, head, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT') return undefined;
    if (NO_FILE.has(code)) throw new AppError('INVALID_FILE', `${file} is not a file`, { cause: error });
    throw error;
  }
}
