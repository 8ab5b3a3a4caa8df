import type { OnBytes } from './bundle-entry.js';
import type { BundleFileWriter } from './bundle-sink.js';
import type { S3Writer, UploadedPart } from './s3-writer.js';

/** One object on its way: a multipart upload with a part for each chunk. Nobody sees it before `complete`. */
export class S3Upload implements BundleFileWriter {
  readonly #writer: S3Writer;
  readonly #path: string;
  readonly #size: number;
  readonly #signal: AbortSignal;
  readonly #parts: UploadedPart[] = [];
  #id: string | undefined;
  #isComplete = false;

  constructor(writer: S3Writer, path: string, size: number, signal: AbortSignal) {
    this.#writer = writer;
    this.#path = path;
    this.#size = size;
    this.#signal = signal;
  }

  async start(): Promise<void> {
    // A multipart upload has at least one byte.
    if (this.#size > 0) this.#id = await this.#writer.startUpload(this.#path, this.#signal);
  }

  async write(index: number, bytes: Uint8Array, sum: number, onBytes: OnBytes): Promise<void> {
    if (this.#id === undefined) throw new Error('start() comes first');
    const options = { sum, onBytes, signal: this.#signal };
    this.#parts.push(await this.#writer.uploadPart(this.#path, this.#id, index + 1, bytes, options));
  }

  async finish(): Promise<void> {
    // It stays hidden until all files are here.
  }

  async complete(): Promise<void> {
    // Also where it is unclear whether it was completed, it has to be undone.
    this.#isComplete = true;
    if (this.#id === undefined)
      await this.#writer.put(this.#path, new Uint8Array(), 'application/octet-stream');
    else await this.#writer.completeUpload(this.#path, this.#id, this.#parts);
  }

  async undo(writer: S3Writer): Promise<void> {
    if (this.#id !== undefined) await writer.abortUpload(this.#path, this.#id).catch(() => undefined);
    if (this.#isComplete) await writer.remove(this.#path);
  }
}
