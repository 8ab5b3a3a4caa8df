import { type ChildProcess, fork } from 'node:child_process';
import { AppError } from '../errors/app-error.js';
import { JobQueue } from '../runtime/job-queue.js';
import type { DecodeImageProps } from './decode-image.js';
import type { DecodeReply } from './decode-messages.js';
import type { RgbImage } from './rgb-image.js';

/** Pictures that may wait while another is read: those that may wait for the model afterwards. */
const MAX_WAITING = 8;
/** What a picture must be that ended the process. */
const TOO_COSTLY = 'must be a picture that takes less time and memory to read';
/** How many times longer than its share of a core a picture may take, where the cores are busy. */
const PATIENCE = 10;

/**
 * Reads pictures that may mean harm: one at a time, in a process that is ended when one costs more than its limits. It has
 * none of this process's environment and so none of its keys. It is started when there is something to read, stays, and
 * does not keep this process alive.
 */
export class ImageDecoder {
  readonly #entry: URL;
  readonly #queue = new JobQueue(MAX_WAITING);
  #child: ChildProcess | undefined;

  /** @param entry the compiled `decode-process` module; bundlers move it, so the caller says where it is */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /**
   * What `decodeImage` makes of a picture.
   *
   * @param name of the picture, for messages
   * @param signal where the picture still waits when it is aborted, it is not read
   * @throws AppError INVALID_INPUT for a picture that is not taken, also for one that took too long or ended the process;
   * UNAVAILABLE when too many wait already, or the process had died before; INTERNAL when it cannot be started
   */
  async decode(props: DecodeImageProps, name: string, signal: AbortSignal): Promise<RgbImage> {
    const { value } = await this.#queue.run(() => this.#decode(props, name), signal);
    return value;
  }

  /** Ends the process, when what waits for it has been read. The next picture starts another one. */
  async close(): Promise<void> {
    await this.#queue.drained();
    this.#child?.kill('SIGKILL');
  }

  async #decode(props: DecodeImageProps, name: string): Promise<RgbImage> {
    const child = this.#child ?? (await this.#start());
    const patience = setTimeout(() => child.kill('SIGKILL'), 1000 * PATIENCE * props.limits.cpuSeconds);
    hold(child, true);
    try {
      const reply = await ask(child, props);
      if (reply?.kind === 'decoded') return reply.image;
      // Whatever ended the process: the same picture would end the next one.
      const rule = reply?.kind === 'refused' ? reply.message : TOO_COSTLY;
      throw new AppError('INVALID_INPUT', `${name}: ${rule}`);
    } finally {
      clearTimeout(patience);
      hold(child, false);
    }
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(this.#entry, {
      env: {},
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    const reply = await answer(child);
    if (reply?.kind !== 'ready')
      throw new AppError('INTERNAL', 'the process that reads pictures cannot be started');
    this.#child = child;
    return child;
  }
}

async function ask(child: ChildProcess, order: DecodeImageProps): Promise<DecodeReply | undefined> {
  const sent = new Promise<void>((resolve, reject) =>
    child.send(order, (cause) => {
      if (!cause) return resolve();
      // It died while it waited: that was not this picture's doing.
      reject(new AppError('UNAVAILABLE', 'the process that reads pictures has ended', { cause }));
    }),
  );
  const [reply] = await Promise.all([answer(child), sent]);
  return reply;
}

/** What it says next; undefined where it ends before. */
function answer(child: ChildProcess): Promise<DecodeReply | undefined> {
  return new Promise((resolve) => {
    const settle = (reply?: DecodeReply) => {
      child.off('message', settle).off('exit', end).off('error', end);
      resolve(reply);
    };
    const end = () => settle();
    child.on('message', settle).on('exit', end).on('error', end);
  });
}

/** Whether this process waits for the other before it ends. */
function hold(child: ChildProcess, whether: boolean): void {
  for (const handle of [child, child.channel]) {
    if (whether) handle?.ref();
    else handle?.unref();
  }
}
