import { AppError } from '../errors/app-error.js';

export interface JobResult<T> {
  readonly value: T;
  /** Between the call and the start of the job. */
  readonly queuedMilliseconds: number;
}

/** Runs one job at a time, in order; as many as `limit` may wait. */
export class JobQueue {
  readonly #limit: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs `job` when those before it are done. A job whose `signal` is aborted while it waits is not started.
   *
   * @throws AppError UNAVAILABLE when too many wait already; otherwise what the job or the signal's reason is
   */
  async run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<JobResult<T>> {
    if (this.#waiting >= this.#limit) {
      throw new AppError('UNAVAILABLE', `the queue is full: ${this.#limit} requests wait already`);
    }
    this.#waiting++;
    const called = performance.now();
    const turn = this.#last.then(async () => {
      this.#waiting--;
      signal.throwIfAborted();
      const queuedMilliseconds = performance.now() - called;
      this.#running++;
      try {
        return { value: await job(), queuedMilliseconds };
      } finally {
        this.#running--;
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Settles when no job is left. */
  async drained(): Promise<void> {
    while (this.#waiting + this.#running > 0) await this.#last;
  }
}
