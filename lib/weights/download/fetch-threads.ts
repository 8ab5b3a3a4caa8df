import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { diskError } from '../disk/disk-error.js';
import type { PartialFile } from '../disk/partial-file.js';
import type { DirectRequest } from '../sources/direct/direct-request.js';
import type { FetchMessage, FetchOrder, FetchReply } from './fetch-messages.js';

/** A core decrypts, sums and writes up to 0.8 GB/s, a slow one half: enough for what 16 connections to S3 give. */
const MAX_THREADS = 4;

export interface FetchProps {
  readonly request: DirectRequest;
  readonly file: Pick<PartialFile, 'path' | 'descriptor'>;
  /** Where in `file` the bytes belong. */
  readonly at: number;
  /** Bytes. */
  readonly length: number;
  /** Told the length of what came, a few times a second. */
  readonly onBytes: (count: number) => void;
}

interface Pending {
  readonly props: FetchProps;
  readonly resolve: (sum: number | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that bring ranges from a server to files, so that reading, decrypting, summing and writing take more than
 * one core and none of the caller's time. They are started when there is something to do; one that has died is
 * replaced in the same way. As long as they are there they keep the process alive.
 */
export class FetchThreads {
  readonly #entry: URL;
  readonly #count: number;
  readonly #threads = new Set<FetchThread>();

  /**
   * @param entry the compiled `fetch-worker` module; bundlers move it, so the caller says where it is
   * @param count of threads at most. @default one for each core, up to 4
   */
  constructor(entry: URL, count: number = Math.min(availableParallelism(), MAX_THREADS)) {
    this.#entry = entry;
    this.#count = count;
  }

  /**
   * One attempt. When this settles nothing writes to the file any more, whatever happened.
   *
   * @returns CRC-32 of the bytes; undefined when the answer was not a plain one: the file has not been touched then
   * @throws AppError when the file cannot be written, an Error with a `code` when the line broke or the thread died,
   * or the reason of `signal`
   */
  async fetch(props: FetchProps, signal: AbortSignal): Promise<number | undefined> {
    signal.throwIfAborted();
    const [idlest] = [...this.#threads].sort((a, b) => a.busy - b.busy);
    const enough = idlest !== undefined && (idlest.busy === 0 || this.#threads.size >= this.#count);
    const thread = enough ? idlest : this.#start();
    try {
      return await thread.fetch(props, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** Ends the threads. No fetch may be under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #start(): FetchThread {
    const thread = new FetchThread(this.#entry, () => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread;
  }
}

class FetchThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;

  constructor(entry: URL, onEnd: () => void) {
    this.#worker = new Worker(entry);
    let cause: Error | undefined;
    this.#worker.on('message', (reply: FetchReply) => this.#onReply(reply));
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.#worker.on('exit', () => {
      onEnd();
      this.#onExit(cause);
    });
  }

  /** Fetches under way. */
  get busy(): number {
    return this.#pending.size;
  }

  async fetch(props: FetchProps, signal: AbortSignal): Promise<number | undefined> {
    const id = this.#nextId++;
    const { request, file, at, length } = props;
    const order: FetchOrder = { request, descriptor: file.descriptor, at, length };
    const stop = () => this.#worker.postMessage({ id } satisfies FetchMessage);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<number | undefined>((resolve, reject) => {
        this.#pending.set(id, { props, resolve, reject });
        this.#worker.postMessage({ id, order } satisfies FetchMessage);
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #onReply({ id, bytes, end }: FetchReply): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const { props, resolve, reject } = pending;
    props.onBytes(bytes);
    if (!end) return;
    this.#pending.delete(id);
    if (end.kind === 'done') resolve(end.crc32);
    else if (end.kind === 'declined') resolve(undefined);
    else if (end.error.disk) reject(diskError(props.file.path, end.error));
    else reject(lineError(end.error.message, end.error.code));
  }

  #onExit(cause: Error | undefined): void {
    const why = cause === undefined ? '' : `: ${cause.message}`;
    const error = lineError(`the thread that fetched it has ended${why}`, 'ERR_WORKER_EXITED');
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** It has a code, as the system's errors have: asking again may help. */
function lineError(message: string, code = 'ECONNRESET'): Error {
  return Object.assign(new Error(message), { code });
}
