import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import type { OutputFormat } from '../../schemas/request.js';
import { assertLocal } from '../assert-local.js';
import { findOutput, isStream, type Output } from './output.js';

const EXTENSIONS: Readonly<Record<OutputFormat, readonly string[]>> = {
  png: ['.png'],
  jpeg: ['.jpg', '.jpeg'],
  webp: ['.webp'],
};

/** Of a name that says what kind of file it is: `.gif`, `.mp4`, but not `.2` or `.20260101`. */
const KIND = /^\.(?=.*[a-z])[a-z0-9]{2,5}$/;

/**
 * The format that a file's name asks for, if it asks for one.
 *
 * @throws AppError INVALID_INPUT for a name that says it is something else
 */
export function formatOfName(file: string): OutputFormat | undefined {
  const extension = extname(file).toLowerCase();
  const format = (Object.keys(EXTENSIONS) as OutputFormat[]).find((each) =>
    EXTENSIONS[each].includes(extension),
  );
  if (format || !KIND.test(extension)) return format;
  const names = Object.values(EXTENSIONS).flat().join(', ');
  throw new AppError(
    'INVALID_INPUT',
    `--out ${file}: no ${extension} can be written: end its name in one of ${names}, or say --format`,
  );
}

/**
 * Where the pictures go: `out` itself for one, `out-0` and so on for more. Without `out` they are named
 * after the seed, in the working directory, and no older picture is overwritten.
 *
 * @throws AppError INVALID_INPUT when they cannot be written there
 */
export async function nameOutputs(
  out: string | undefined,
  seed: number,
  format: OutputFormat,
  count: number,
): Promise<Output[]> {
  if (out === undefined)
    return findAll(freeNames(`sd-turbo-${seed}`, EXTENSIONS[format][0] as string, count));
  assertLocal('--out', out);
  const output = await findOutput(out);
  if (count === 1) return [output];
  if (isStream(output)) {
    throw new AppError(
      'INVALID_INPUT',
      `--out ${out} takes one picture, not --num-images ${count}: name a file`,
    );
  }
  return findAll(numbered(out, count));
}

function findAll(names: readonly string[]): Promise<Output[]> {
  return Promise.all(names.map(findOutput));
}

function freeNames(stem: string, extension: string, count: number): string[] {
  for (let copy = 1; ; copy++) {
    const names = numbered(`${stem}${copy === 1 ? '' : `-v${copy}`}${extension}`, count);
    if (!names.some((name) => existsSync(name))) return names;
  }
}

function numbered(file: string, count: number): string[] {
  if (count === 1) return [file];
  const extension = extname(file);
  const stem = file.slice(0, file.length - extension.length);
  return Array.from({ length: count }, (_, index) => `${stem}-${index}${extension}`);
}
