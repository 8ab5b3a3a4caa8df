import { open, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CHUNK_SIZE, type ManifestFile } from '../../schemas/manifest.js';
import { crc32 } from '../bytes/crc32.js';
import { CheckpointReader } from '../checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../checkpoint/directory-checkpoint.js';
import { checkSpace } from '../disk/check-space.js';
import { makeFolders } from '../disk/make-folders.js';
import { PARTIAL_SUFFIX, PartialFile } from '../disk/partial-file.js';
import { type BundleEntry, chunkRange, type OnBytes, sumEntry } from './bundle-entry.js';
import type { BundleFileWriter, BundleSink } from './bundle-sink.js';
import { ChunkJournal, JOURNAL_SUFFIX } from './chunk-journal.js';
import { MANIFEST_NAME } from './read-manifest.js';
import { WholeDirectory } from './whole-directory.js';

/**
 * A bundle in a directory of this machine. It appears whole or not at all; an older bundle there is replaced. Weights are
 * copied from a checkpoint beside it, too: a hard link would change with the checkpoint, and the tools of ONNX refuse it.
 */
export class DirectorySink implements BundleSink {
  readonly #target: string;
  readonly #open = new Set<PartialFile>();
  /** Of files that are brought in several chunks and known by a digest: what a run leaves of them is of use to the next. */
  readonly #journals = new Map<string, ChunkJournal>();
  #directory: WholeDirectory | undefined;

  constructor(target: string) {
    this.#target = target;
  }

  async begin(entries: readonly BundleEntry[]): Promise<void> {
    const directory = await WholeDirectory.open(this.#target);
    this.#directory = directory;
    const wanted = new Set(entries.flatMap(namesOf));
    await directory.writing(() => keepOnly(directory.folder, wanted));
  }

  /** Trusts what a killed import has left only by its digest. */
  async reuse(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile | undefined> {
    const directory = this.#opened();
    const { path, size, digest } = entry;
    const file = join(directory.folder, path);
    const stats = await stat(file).catch(() => undefined);
    if (!stats) return undefined;
    await rm(file + JOURNAL_SUFFIX, { force: true });
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
    for (const entry of entries.filter(isResumable)) {
      const file = join(folder, entry.path);
      await makeFolders(dirname(file));
      this.#journals.set(entry.path, await ChunkJournal.open(file, entry));
    }
  }

  async recall({ path, size }: BundleEntry, index: number, target: Uint8Array): Promise<number | undefined> {
    const sum = this.#journals.get(path)?.sumOf(index);
    if (sum === undefined) return undefined;
    const file = await open(join(this.#opened().folder, path) + PARTIAL_SUFFIX).catch(() => undefined);
    if (!file) return undefined;
    try {
      await file.read(target, 0, target.length, chunkRange(size, index).start);
      return crc32(target) === sum ? sum : undefined;
    } catch {
      // A chunk that cannot be read is fetched again.
      return undefined;
    } finally {
      await file.close();
    }
  }

  async open({ path, size }: BundleEntry): Promise<BundleFileWriter> {
    const file = await PartialFile.open(join(this.#opened().folder, path), size);
    const journal = this.#journals.get(path);
    this.#open.add(file);
    return {
      async write(index, bytes, sum, onBytes) {
        await file.write(bytes, index * CHUNK_SIZE);
        await journal?.note(index, sum);
        onBytes(bytes.length);
      },
      finish: async () => {
        this.#open.delete(file);
        await file.complete();
        await journal?.close();
      },
    };
  }

  async publish(manifest: string): Promise<void> {
    const directory = this.#opened();
    await directory.writing(() => writeFile(join(directory.folder, MANIFEST_NAME), manifest));
    await directory.publish();
  }

  async suspend(): Promise<void> {
    await this.#closeAll();
    // Only where there is nothing in it.
    if (this.#directory) await rmdir(this.#directory.folder).catch(() => undefined);
  }

  async discard(): Promise<void> {
    await this.#closeAll();
    await this.#directory?.discard();
  }

  async #closeAll(): Promise<void> {
    for (const file of this.#open) await file.close().catch(() => undefined);
  }

  #opened(): WholeDirectory {
    if (!this.#directory) throw new Error('begin() comes first');
    return this.#directory;
  }
}

function isResumable({ size, digest }: BundleEntry): boolean {
  return digest !== undefined && size > CHUNK_SIZE;
}

/** What there may be of a file. */
function namesOf(entry: BundleEntry): string[] {
  const { path } = entry;
  return isResumable(entry) ? [path, path + PARTIAL_SUFFIX, path + JOURNAL_SUFFIX] : [path];
}

/** Removes every file but those named. */
async function keepOnly(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((each) => !each.isDirectory())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = relative(folder, path).replaceAll('\\', '/');
    if (!wanted.has(name)) await rm(path);
  }
}
