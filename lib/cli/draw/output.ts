import { constants, writeSync } from 'node:fs';
import { access, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { AppError } from '../../errors/app-error.js';

/** Where one picture goes. */
export interface Output {
  /** As it was asked for. */
  readonly name: string;
  readonly target: Target;
}

export type Target =
  /** A file that appears, or changes, whole or not at all. */
  | { readonly kind: 'file'; readonly path: string; readonly old: OldFile | undefined }
  /** What keeps its identity and is written into: a device, a pipe, or a file with several names. */
  | { readonly kind: 'into'; readonly path: string; readonly isFile: boolean }
  /** A file that was open when this process was started. */
  | { readonly kind: 'descriptor'; readonly descriptor: number };

/** What the new file takes over. */
export interface OldFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const STDOUT = 1;

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** Where Linux, and other systems, show the open files of a process. */
const DESCRIPTORS = /^\/(?:dev|proc\/(\d+)(?:\/task\/\d+)?)\/fd$/;

export function isStdout({ target }: Output): boolean {
  return target.kind === 'descriptor' && target.descriptor === STDOUT;
}

/** Whether a second picture would not replace the first, but follow it. */
export function isStream({ target }: Output): boolean {
  return target.kind === 'descriptor' || (target.kind === 'into' && !target.isFile);
}

/**
 * Finds out what `name` leads to, and that it can be written.
 *
 * @param name of a file, or `-` for stdout
 * @throws AppError INVALID_INPUT
 */
export async function findOutput(name: string): Promise<Output> {
  if (name === '-') return { name, target: { kind: 'descriptor', descriptor: STDOUT } };
  try {
    return { name, target: await findTarget(name) };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ELOOP' ? 'is a link that leads to itself' : 'cannot be written';
    throw new AppError('INVALID_INPUT', `--out: ${name} ${reason} (${code})`, { cause });
  }
}

async function findTarget(name: string): Promise<Target> {
  const { path, descriptor } = await followLinks(name);
  if (descriptor !== undefined) {
    // Nothing, but refused where something would be.
    if (descriptor !== STDOUT) writeSync(descriptor, new Uint8Array());
    return { kind: 'descriptor', descriptor };
  }
  const stats = await stat(path).catch((error) => {
    // Which folder is missing, or is none, is told below.
    if (!['ENOENT', 'ENOTDIR'].includes(error.code)) throw error;
  });
  if (name === '' || name.endsWith('/') || stats?.isDirectory()) {
    throw new AppError(
      'INVALID_INPUT',
      `--out must name a file, not ${name ? `the directory ${name}` : 'nothing'}`,
    );
  }
  if (stats?.isSocket())
    throw new AppError('INVALID_INPUT', `--out: ${name} is a socket, which takes no files`);
  if (!stats) {
    await assertFolder(dirname(path));
    return { kind: 'file', path, old: undefined };
  }
  await access(path, constants.W_OK);
  const folder = dirname(path);
  const isReplaceable =
    stats.isFile() && stats.nlink <= 1 && !DESCRIPTORS.test(folder) && (await isWritable(folder));
  return isReplaceable ? { kind: 'file', path, old: stats } : { kind: 'into', path, isFile: stats.isFile() };
}

/**
 * By hand, because what is behind a descriptor may have no path, and `realpath` wants the last one to exist. Of the
 * folders it is the system's task: behind a link, `..` leads elsewhere than in the text.
 *
 * @returns the path without links, or the number of one of this process's own descriptors
 */
async function followLinks(name: string): Promise<{ path: string; descriptor?: number }> {
  let path = name;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    path = join(folder, basename(path));
    const [isDescriptor, pid] = DESCRIPTORS.exec(folder) ?? [];
    if (isDescriptor && (pid === undefined || Number(pid) === process.pid) && /^\d+$/.test(basename(path))) {
      return { path, descriptor: Number(basename(path)) };
    }
    // Of another process's descriptors only the system knows where they lead.
    if (isDescriptor) return { path };
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isSymbolicLink()) return { path };
    const link = await readlink(path);
    path = isAbsolute(link) ? link : `${folder}/${link}`;
  }
  throw Object.assign(new Error(name), { code: 'ELOOP' });
}

async function assertFolder(folder: string): Promise<void> {
  // With the dot, a file is no folder.
  await access(`${folder}/.`, constants.W_OK).catch((cause) => {
    throw new AppError('INVALID_INPUT', `--out: directory ${folder} cannot be written (${cause.code})`, {
      cause,
    });
  });
}

function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
