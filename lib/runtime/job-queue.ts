import { AppError } from '../errors/app-error.js';

export interface JobResult<T> {
  readonly value: T;
  /** Between the call and the start of the job. */
  readonly queuedMilliseconds: number;
}

/** Runs `atOnce` jobs beside each other, begun in order; as many as `limit` may wait. */
export class JobQueue {
  readonly #limit: number;
  readonly #atOnce: number;
  /** Who waits for a place; where there is one, every place is taken. */
  readonly #waiting: (() => void)[] = [];
  readonly #drained: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, atOnce = 1) {
    this.#limit = limit;
    this.#atOnce = atOnce;
  }

  /**
   * Runs `job` when those before it have begun and there is a place for it. A job whose `signal` is aborted while it waits
   * is not started.
   *
   * @throws AppError UNAVAILABLE when too many wait already; otherwise what the job or the signal's reason is
   */
  async run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<JobResult<T>> {
    const called = performance.now();
    await this.#takePlace();
    try {
      signal.throwIfAborted();
      const queuedMilliseconds = performance.now() - called;
      return { value: await job(), queuedMilliseconds };
    } finally {
      this.#leavePlace();
    }
  }

  /** Settles when no job is left. */
  async drained(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  async #takePlace(): Promise<void> {
    if (this.#running < this.#atOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.#limit) {
      throw new AppError('UNAVAILABLE', `the queue is full: ${this.#limit} requests wait already`);
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** To whoever has waited longest. */
  #leavePlace(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
    if (this.#running === 0) for (const tell of this.#drained.splice(0)) tell();
  }
}
