import { link, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CHUNK_SIZE, type ManifestFile } from '../schemas/manifest.js';
import { type BundleEntry, type OnBytes, sumEntry } from './bundle-entry.js';
import type { BundleFileWriter, BundleSink } from './bundle-sink.js';
import { checkSpace } from './check-space.js';
import { CheckpointReader } from './checkpoint-reader.js';
import { DirectoryCheckpoint } from './directory-checkpoint.js';
import { PartialFile } from './partial-file.js';
import { MANIFEST_NAME } from './read-manifest.js';
import { WholeDirectory } from './whole-directory.js';

/** These stay where they are; the small files beside them become copies. */
const WEIGHTS = /\.safetensors$/;

/** A bundle in a directory of this machine. It appears whole or not at all; an older bundle there is replaced. */
export class DirectorySink implements BundleSink {
  readonly #target: string;
  readonly #open = new Set<PartialFile>();
  #directory: WholeDirectory | undefined;

  constructor(target: string) {
    this.#target = target;
  }

  async begin(entries: readonly BundleEntry[]): Promise<void> {
    const directory = await WholeDirectory.open(this.#target);
    this.#directory = directory;
    const wanted = new Set(entries.map(({ path }) => path));
    await directory.writing(() => keepOnly(directory.folder, wanted));
  }

  /** Links weights of this machine, and trusts what a killed import has left only by its digest. */
  async reuse(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile | undefined> {
    const directory = this.#opened();
    const { path, size, digest } = entry;
    const file = join(directory.folder, path);
    const local = WEIGHTS.test(path) ? entry.reader.source.localPath?.(entry.from) : undefined;
    if (local !== undefined) {
      const isLinked = await directory.writing(() => linkFile(local, file));
      return isLinked ? sumEntry(entry, onBytes) : undefined;
    }
    const stats = await stat(file).catch(() => undefined);
    if (!stats) return undefined;
    const reader = new CheckpointReader(new DirectoryCheckpoint(directory.folder), { retries: 0 });
    const isKnown = stats.size === size && digest !== undefined;
    const left = { path, size, digest, reader, from: path };
    const sums = isKnown ? await sumEntry(left, onBytes).catch(() => undefined) : undefined;
    if (!sums) await directory.writing(() => rm(file));
    return sums;
  }

  async makeRoom(entries: readonly BundleEntry[]): Promise<void> {
    await checkSpace(this.#opened().folder, entries);
  }

  async open({ path, size }: BundleEntry): Promise<BundleFileWriter> {
    const file = await PartialFile.open(join(this.#opened().folder, path), size);
    this.#open.add(file);
    return {
      async write(index, bytes, _sum, onBytes) {
        await file.write(bytes, index * CHUNK_SIZE);
        onBytes(bytes.length);
      },
      finish: async () => {
        this.#open.delete(file);
        await file.complete();
      },
    };
  }

  async publish(manifest: string): Promise<void> {
    const directory = this.#opened();
    await directory.writing(() => writeFile(join(directory.folder, MANIFEST_NAME), manifest));
    await directory.publish();
  }

  async discard(): Promise<void> {
    for (const file of this.#open) await file.close().catch(() => undefined);
    await this.#directory?.discard();
  }

  #opened(): WholeDirectory {
    if (!this.#directory) throw new Error('begin() comes first');
    return this.#directory;
  }
}

/** Removes every file but those named, half-written ones among them. */
async function keepOnly(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((each) => !each.isDirectory())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = relative(folder, path).replaceAll('\\', '/');
    if (!wanted.has(name)) await rm(path);
  }
}

/** @returns false where the file system cannot link, as between two disks */
async function linkFile(from: string, to: string): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  // The Hugging Face cache holds links to its files, and a hard link of a link would lead nowhere from here.
  return link(await realpath(from), to).then(
    () => true,
    () => false,
  );
}
