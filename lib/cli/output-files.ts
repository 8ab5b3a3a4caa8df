import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { AppError } from '../errors/app-error.js';
import type { OutputFormat } from '../schemas/request.js';

const EXTENSIONS: Readonly<Record<OutputFormat, readonly string[]>> = {
  png: ['.png'],
  jpeg: ['.jpg', '.jpeg'],
  webp: ['.webp'],
};

/** The format that a file's name asks for, if it asks for one. */
export function formatOfName(file: string): OutputFormat | undefined {
  const extension = extname(file).toLowerCase();
  return (Object.keys(EXTENSIONS) as OutputFormat[]).find((format) => EXTENSIONS[format].includes(extension));
}

/**
 * Where the pictures go: `out` itself for one, `out-0` and so on for more. Without `out` they are named
 * after the seed, in the working directory, and no older picture is overwritten.
 *
 * @throws AppError INVALID_INPUT when `out` is a directory, or lies in one that cannot be written
 */
export async function nameOutputs(
  out: string | undefined,
  seed: number,
  format: OutputFormat,
  count: number,
): Promise<string[]> {
  if (out !== undefined && (out === '' || out.endsWith('/') || (await isFolder(out)))) {
    throw new AppError('INVALID_INPUT', `--out must name a file, not ${out || 'nothing'}`);
  }
  const folder = dirname(out ?? '.');
  // With the dot, a file is no folder.
  await access(`${folder}/.`, constants.W_OK).catch((cause) => {
    throw new AppError('INVALID_INPUT', `--out: directory ${folder} cannot be written (${cause.code})`, {
      cause,
    });
  });
  if (out !== undefined) return numbered(out, count);
  for (let copy = 1; ; copy++) {
    const files = numbered(`sd-turbo-${seed}${copy === 1 ? '' : `-v${copy}`}${EXTENSIONS[format][0]}`, count);
    if (!files.some((file) => existsSync(file))) return files;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() === true;
}

function numbered(file: string, count: number): string[] {
  if (count === 1) return [file];
  const extension = extname(file);
  const stem = file.slice(0, file.length - extension.length);
  return Array.from({ length: count }, (_, index) => `${stem}-${index}${extension}`);
}

/** Writes a file so that it is there whole or not at all. */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  const partial = `${file}.partial-${randomUUID()}`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('INVALID_INPUT', `--out: ${file} cannot be written (${reason})`, { cause });
  }
}
