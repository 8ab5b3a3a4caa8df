import { readdir, stat } from 'node:fs/promises';
import { basename, join, normalize, resolve } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import type { CheckpointSource } from '../sources/checkpoint-source.js';
import { FileSource } from '../sources/file-source.js';

/** A checkpoint or a bundle in a directory of this machine. */
export class DirectoryCheckpoint extends FileSource implements CheckpointSource {
  readonly name: string;
  readonly revision = null;

  constructor(directory: string) {
    super(normalize(directory).replace(/(?<=.)[/\\]$/, ''));
    this.name = basename(resolve(directory));
  }

  async list(folder: string): Promise<ReadonlySet<string>> {
    const path = this.localPath(folder);
    return new Set(await readdir(path).catch((cause) => refuse(path, cause)));
  }

  async size(path: string): Promise<number | undefined> {
    const name = this.localPath(path);
    const stats = await stat(name).catch((cause) =>
      cause.code === 'ENOENT' ? undefined : refuse(name, cause),
    );
    if (stats && !stats.isFile()) throw new AppError('INVALID_FILE', `${name} is not a file`);
    return stats?.size;
  }

  localPath(path: string): string {
    return join(this.description, path);
  }
}

function refuse(path: string, cause: Error): never {
  throw new AppError('INVALID_FILE', `cannot read ${path}: ${cause.message}`, { cause });
}
