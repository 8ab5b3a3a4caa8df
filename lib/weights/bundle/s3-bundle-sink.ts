import type { S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../errors/app-error.js';
import { CHUNK_SIZE, type Manifest, type ManifestFile } from '../../schemas/manifest.js';
import { SELF_TEST_NAME } from '../../schemas/self-test.js';
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy } from '../bytes/transfer.js';
import type { S3Location } from '../sources/s3/s3-location.js';
import { S3Source } from '../sources/s3/s3-source.js';
import { type BundleEntry, type OnBytes, sumEntry } from './bundle-entry.js';
import type { BundleFileWriter, BundleSink } from './bundle-sink.js';
import { manifestText } from './manifest-text.js';
import { isManifest, MANIFEST_NAME, MAX_MANIFEST_BYTES, readManifest } from './read-manifest.js';
import { S3Upload } from './s3-upload.js';
import { S3Writer } from './s3-writer.js';

/** Requests at once where each is small. */
const PARALLEL_REQUESTS = 8;

/** Attempts after the first to clean up: somebody waits for the error. */
const CLEANUP_RETRIES = 2;

export interface S3BundleSinkProps {
  /** Stays its owner's. */
  readonly client: S3Client;
  readonly location: S3Location;
  /** @default DEFAULT_TRANSFER_POLICY, member by member */
  readonly policy?: Partial<TransferPolicy> | undefined;
  readonly signal: AbortSignal;
}

/** The bundle that is below the prefix before an import. */
interface Published {
  /** Undefined where it cannot be read. */
  readonly manifest: Manifest | undefined;
  readonly text: string | undefined;
  /** Milliseconds since 1970. Everything that is older is what the manifest says. */
  readonly at: number;
}

/**
 * A bundle below an S3 prefix. Every file is a multipart upload, which nobody sees before it is completed: that is
 * done for all of them at the end. Until then an older bundle stays whole, and to give up is to abort the uploads.
 */
export class S3BundleSink implements BundleSink {
  readonly #props: S3BundleSinkProps;
  readonly #writer: S3Writer;
  readonly #cleaner: S3Writer;
  readonly #uploads: S3Upload[] = [];
  #paths: ReadonlySet<string> = new Set();
  #published: Published | undefined;
  /** Whether there is one without a manifest. */
  #hasSelfTest = false;

  constructor(props: S3BundleSinkProps) {
    this.#props = props;
    const { client, location } = props;
    const policy = { ...DEFAULT_TRANSFER_POLICY, ...props.policy };
    this.#writer = new S3Writer(client, location, policy);
    this.#cleaner = new S3Writer(client, location, {
      ...policy,
      retries: Math.min(policy.retries, CLEANUP_RETRIES),
    });
  }

  async begin(entries: readonly BundleEntry[]): Promise<void> {
    this.#paths = new Set(entries.map(({ path }) => path));
    this.#published = await this.#findPublished();
    if (!this.#published) await this.#refuseOthers();
    await this.#abortOpenUploads(this.#props.signal);
  }

  /**
   * A file is there already when the published manifest gives it the same SHA-256, and its object has not been
   * touched since. Where SHA-256 is not known from the source, only what is quick to read is read for it.
   */
  async reuse(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile | undefined> {
    const old = this.#published?.manifest?.files.find(({ path }) => path === entry.path);
    if (old?.size !== entry.size || !(await this.#isUntouched(old))) return undefined;
    const isQuick = entry.reader.source.localPath !== undefined || entry.size <= CHUNK_SIZE;
    const known = entry.digest?.algorithm === 'sha256' ? entry.digest.hex : undefined;
    const sha256 = known ?? (isQuick ? (await sumEntry(entry, onBytes)).sha256 : undefined);
    return sha256 === old.sha256 ? old : undefined;
  }

  async makeRoom(): Promise<void> {
    // There is always room.
  }

  async open({ path, size }: BundleEntry): Promise<BundleFileWriter> {
    const upload = new S3Upload(this.#writer, path, size, this.#props.signal);
    this.#uploads.push(upload);
    await upload.start();
    return upload;
  }

  async publish(text: string, files: readonly ManifestFile[]): Promise<void> {
    const published = this.#published;
    const paths = new Set(files.map(({ path }) => path));
    const stale = (published?.manifest?.files ?? []).filter(({ path }) => !paths.has(path));
    const isChanging = this.#uploads.length + stale.length > 0;
    if (!isChanging && published?.text === text) return;
    if (isChanging && published) await this.#writer.remove(MANIFEST_NAME);
    if (isChanging && (published || this.#hasSelfTest)) await this.#writer.remove(SELF_TEST_NAME);
    await atOnce(stale, ({ path }) => this.#writer.remove(path));
    await atOnce(this.#uploads, (upload) => upload.complete());
    await this.#writer.put(MANIFEST_NAME, Buffer.from(text), 'application/json');
  }

  async discard(): Promise<void> {
    await atOnce(this.#uploads, (upload) => upload.undo(this.#cleaner).catch(() => undefined));
    if (this.#uploads.length > 0) await this.#abortOpenUploads(new AbortController().signal);
  }

  async #findPublished(): Promise<Published | undefined> {
    const { client, location, policy, signal } = this.#props;
    const head = await this.#writer.head(MANIFEST_NAME, signal);
    if (!head) return undefined;
    const at = head.LastModified?.getTime() ?? 0;
    const source = new S3Source(client, location);
    const manifest = await readManifest(source, policy, signal).catch(async (error) => {
      if (!(error instanceof AppError) || error.code !== 'INVALID_FILE') throw error;
      if (isManifest(await source.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES, signal))) return undefined;
      throw new AppError(
        'INVALID_INPUT',
        `${source.description} has a ${MANIFEST_NAME} that is no bundle's: name a new prefix`,
        { cause: error },
      );
    });
    return { manifest, text: manifest && manifestText(manifest), at };
  }

  /**
   * Aborts what a killed import has left, and what an answer that never came has. Only a clean-up: whoever may not
   * list uploads may still write.
   */
  async #abortOpenUploads(signal: AbortSignal): Promise<void> {
    const open = await this.#cleaner.listUploads(signal).catch(() => []);
    const ours = open.filter(({ path }) => this.#paths.has(path));
    await atOnce(ours, ({ path, id }) => this.#cleaner.abortUpload(path, id).catch(() => undefined));
  }

  async #refuseOthers(): Promise<void> {
    for await (const path of this.#writer.list(this.#props.signal)) {
      // The console makes an empty object for a folder.
      if (path === '' || this.#paths.has(path)) continue;
      // A killed import had removed the manifest that it was of.
      if (path === SELF_TEST_NAME) {
        this.#hasSelfTest = true;
        continue;
      }
      const { description } = this.#writer;
      throw new AppError(
        'INVALID_INPUT',
        `${description} is not empty and not a bundle (it has ${path}): name a new prefix`,
      );
    }
  }

  async #isUntouched({ path, size }: ManifestFile): Promise<boolean> {
    const head = await this.#writer.head(path, this.#props.signal);
    const modified = head?.LastModified?.getTime() ?? Number.POSITIVE_INFINITY;
    return head?.ContentLength === size && modified <= (this.#published?.at ?? 0);
  }
}

/** Several at a time. Each item has its turn; then the first failure is thrown. */
async function atOnce<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const failures: unknown[] = [];
  const workers = Array.from({ length: PARALLEL_REQUESTS }, async () => {
    for (const item of rest) await action(item).catch((error) => failures.push(error));
  });
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}
