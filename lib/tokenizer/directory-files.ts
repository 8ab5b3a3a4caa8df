import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/** A `tokenizer/` directory of this machine. */
export class DirectoryFiles implements TokenizerFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const path = join(this.folder, name);
    const refuse = (cause: NodeJS.ErrnoException): never => {
      throw new AppError('INVALID_FILE', `${path} cannot be read: ${cause.code}`, { cause });
    };
    const stats = await stat(path).catch((cause) => (cause.code === 'ENOENT' ? undefined : refuse(cause)));
    if (stats === undefined) return undefined;
    if (!stats.isFile()) throw new AppError('INVALID_FILE', `${path} is not a file`);
    if (stats.size > maxBytes) {
      throw new AppError('INVALID_FILE', `${path} has ${stats.size} bytes, at most ${maxBytes} are read`);
    }
    return readFile(path).catch(refuse);
  }
}
