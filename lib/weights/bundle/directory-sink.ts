import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { CHUNK_SIZE, type ManifestFile } from '../../schemas/manifest.js';
import { CheckpointReader } from '../checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../checkpoint/directory-checkpoint.js';
import { checkSpace } from '../disk/check-space.js';
import { PartialFile } from '../disk/partial-file.js';
import { type BundleEntry, type OnBytes, sumEntry } from './bundle-entry.js';
import type { BundleFileWriter, BundleSink } from './bundle-sink.js';
import { MANIFEST_NAME } from './read-manifest.js';
import { WholeDirectory } from './whole-directory.js';

/**
 * A bundle in a directory of this machine. It appears whole or not at all; an older bundle there is replaced. Weights are
 * copied from a checkpoint beside it, too: a hard link would change with the checkpoint, and the tools of ONNX refuse it.
 */
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

  /** Trusts what a killed import has left only by its digest. */
  async reuse(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile | undefined> {
    const directory = this.#opened();
    const { path, size, digest } = entry;
    const file = join(directory.folder, path);
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
    const { folder, description } = this.#opened();
    await checkSpace(folder, entries, description);
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
