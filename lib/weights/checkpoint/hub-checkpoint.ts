import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import type { FileDigest } from '../bytes/file-digest.js';
import { digestOf } from '../bytes/file-digest.js';
import type { CheckpointSource } from '../sources/checkpoint-source.js';
import type { HubAnswer, HubClient } from '../sources/hub/hub-client.js';
import { readBody } from '../sources/hub/read-body.js';

/** What the hub's list says of a file. */
export interface HubFile {
  /** Bytes. */
  readonly size: number;
  /** SHA-256 for what git LFS keeps, git's own name for the small ones. */
  readonly digest: FileDigest | undefined;
}

export interface HubCheckpointProps {
  readonly repo: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** By path. */
  readonly files: ReadonlyMap<string, HubFile>;
  readonly client: HubClient;
}

/** One commit of a repository on the Hugging Face hub. */
export class HubCheckpoint implements CheckpointSource {
  readonly description: string;
  readonly name: string;
  readonly revision: string;
  readonly #files: ReadonlyMap<string, HubFile>;
  readonly #client: HubClient;

  constructor({ repo, commit, files, client }: HubCheckpointProps) {
    this.description = `hf:${repo}@${commit.slice(0, 12)}`;
    this.name = repo;
    this.revision = commit;
    this.#files = files;
    this.#client = client;
  }

  async open(path: string, range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { size } = this.#file(path);
    const answer = await this.#get(path, signal, { range: `bytes=${range.start}-${range.end - 1}` });
    const { status, headers, body } = answer.response;
    const expected = `bytes ${range.start}-${range.end - 1}/${size}`;
    const whole = status === 200 && range.start === 0 && range.end === size;
    if (body && (whole || headers.get('content-range') === expected)) return body;
    await body?.cancel();
    throw new AppError(
      'UNAVAILABLE',
      `${this.#name(path)}: asked for ${expected}, got ${headers.get('content-range') ?? 'the whole file'}`,
      { retryable: status === 206 },
    );
  }

  async readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { digest } = this.#file(path);
    const { response } = await this.#get(path, signal);
    const name = this.#name(path);
    const bytes = await readBody(response, maxBytes, name, signal);
    if (digest && digestOf(bytes, digest.algorithm) !== digest.hex)
      throw new AppError('INVALID_FILE', `${name}: other bytes came than the hub's list says`, {
        retryable: true,
      });
    return bytes;
  }

  async list(folder: string): Promise<ReadonlySet<string>> {
    const prefix = folder === '' ? '' : `${folder}/`;
    const inside = [...this.#files.keys()].filter((path) => path.startsWith(prefix));
    return new Set(inside.map((path) => path.slice(prefix.length)).filter((name) => !name.includes('/')));
  }

  async size(path: string): Promise<number | undefined> {
    return this.#files.get(path)?.size;
  }

  digest(path: string): FileDigest | undefined {
    return this.#files.get(path)?.digest;
  }

  holdOff(): number {
    return this.#client.holdOff();
  }

  async #get(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<HubAnswer> {
    const { digest } = this.#file(path);
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    // Asked anew for each range: the address that the hub sends us to may be signed for that range alone.
    const answer = await this.#client.get({
      url: `${this.#client.endpoint}/${this.name}/resolve/${this.revision}/${encoded}`,
      headers,
      subject: { repo: this.name, revision: this.revision, path },
      signal,
    });
    const commit = answer.hubHeaders.get('x-repo-commit') ?? this.revision;
    const etag = answer.hubHeaders.get('x-linked-etag')?.replaceAll(/^(?:W\/)?"|"$/g, '');
    const isOther = etag !== undefined && digest?.algorithm === 'sha256' && etag !== digest.hex;
    if (commit === this.revision && !isOther) return answer;
    await answer.response.body?.cancel();
    throw new AppError(
      'INVALID_FILE',
      `${this.#name(path)}: the hub answers with another file than its list names`,
    );
  }

  #file(path: string): HubFile {
    const file = this.#files.get(path);
    if (!file) throw new AppError('NOT_FOUND', `${this.description} has no file ${path}`);
    return file;
  }

  #name(path: string): string {
    return `${this.description}/${path}`;
  }
}
