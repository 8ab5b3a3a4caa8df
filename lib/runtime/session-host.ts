import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors/app-error.js';
import type {
  GraphSignature,
  LoadOptions,
  RunResult,
  SessionReply,
  SessionRequest,
  Tensors,
} from './session-messages.js';
import type { TensorData } from './tensor.js';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * The calling side of the thread that owns all ONNX Runtime sessions. Calls are answered in order. While there are none the
 * thread does not keep the process alive.
 */
export class SessionHost {
  readonly #worker: Worker;
  readonly #onEnded: (reason: AppError) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #idle: (() => void)[] = [];
  #nextId = 0;
  #ended: AppError | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param entry the compiled `session-worker` module; bundlers move it, so the caller says where it is
   * @param onEnded told when the thread has ended unasked: nothing can be run any more @default nobody
   */
  constructor(entry: URL, onEnded: (reason: AppError) => void = () => undefined) {
    this.#onEnded = onEnded;
    this.#worker = new Worker(entry);
    this.#worker.on('message', (reply: SessionReply) => this.#settle(reply));
    this.#worker.on('error', (cause) => this.#end(`the session thread failed: ${cause.message}`, cause));
    this.#worker.on('exit', () => this.#end('the session thread has ended'));
    this.#worker.unref();
  }

  /**
   * Creates the session of one network; a later load of the same name replaces it.
   *
   * @throws AppError INVALID_FILE when the graph or its weights cannot be loaded
   */
  load(network: string, path: string, options: LoadOptions): Promise<GraphSignature> {
    return this.#call({ kind: 'load', network, path, options });
  }

  /** Runs one network. The feeds' buffers are handed over: they are empty afterwards. */
  async run(network: string, feeds: Tensors): Promise<RunResult> {
    for (const [name, feed] of Object.entries(feeds)) assertFilled(network, name, feed);
    const buffers = new Set(Object.values(feeds).map(({ data }) => data.buffer as ArrayBuffer));
    return this.#call({ kind: 'run', network, feeds }, [...buffers]);
  }

  /** Settles when every call is answered, and no other has followed at once from what was answered. */
  async idle(): Promise<void> {
    do {
      if (this.#pending.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      // Whoever was answered may go on to its next call within this turn of the event loop.
      await turn();
    } while (this.#pending.size > 0);
  }

  /** Refuses new calls, waits for those under way, releases every session and ends the thread. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    // A run cannot be interrupted, and a session must not outlive its thread. A thread that has died has released all.
    const released = this.#call({ kind: 'release' }).catch(() => undefined);
    this.#ended ??= new AppError('INTERNAL', 'the session thread has been closed');
    await released;
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #call<T>(request: SessionRequest, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      this.#worker.ref();
      try {
        this.#worker.postMessage({ id, request }, transfer);
      } catch (cause) {
        this.#pending.delete(id);
        const message = `a call cannot be handed to the session thread: ${(cause as Error).message}`;
        reject(new AppError('INTERNAL', message, { cause }));
      }
    });
  }

  #settle(reply: SessionReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#rest();
    if ('error' in reply) pending?.reject(new AppError(reply.error.code, reply.error.message));
    else pending?.resolve(reply.value as never);
  }

  #rest(): void {
    this.#worker.unref();
    for (const tell of this.#idle.splice(0)) tell();
  }

  #end(message: string, cause?: Error): void {
    const isNews = this.#ended === undefined;
    this.#ended ??= new AppError('INTERNAL', message, { cause });
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    this.#rest();
    if (isNews) this.#onEnded(this.#ended);
  }
}

/** A message with a buffer that was handed over before is lost on its way: Node says nothing, nobody answers. */
function assertFilled(network: string, name: string, { data, dims }: TensorData): void {
  const size = dims.reduce((product, extent) => product * extent, 1);
  if (data.length === size) return;
  const message = `${network} input ${name} has ${data.length} numbers, its shape [${dims.join(', ')}] takes ${size}`;
  throw new AppError('INTERNAL', message);
}
