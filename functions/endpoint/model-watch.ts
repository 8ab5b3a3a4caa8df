import { AppError, type ErrorCode } from '../../lib/errors/app-error.js';

/** The longest that one network may still run when a request's time is up; what takes longer never comes back. */
export const STUCK_MS = 60_000;
/** What a broken model fails with; and so does a sound one, on some request. */
const SUSPECT: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'BAD_NUMBERS']);

export interface ModelWatchProps {
  /** Draws a picture that is known to succeed. Rejects where the model is broken. */
  readonly selfTest: () => Promise<unknown>;
  /** Told, once, why nothing can be drawn any more: whoever is told ends this process. */
  readonly onBroken: (reason: unknown) => void;
  /** @default 60,000 */
  readonly stuckMs?: number;
}

/**
 * Tells a request on which the model fails from a model that fails on every request: a GPU that is lost, a thread that has
 * ended, or is stuck in a driver. None of that passes while this process lives.
 */
export class ModelWatch {
  readonly #props: ModelWatchProps;
  #isBroken = false;

  constructor(props: ModelWatchProps) {
    this.#props = props;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  giveUp(reason: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#props.onBroken(reason);
  }

  /**
   * Runs what draws one request.
   *
   * @param signal aborted when its time is up
   * @throws AppError UNAVAILABLE where the model is broken: no request is to blame, and another copy may draw it
   */
  async over<T>(draw: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { selfTest, stuckMs = STUCK_MS } = this.#props;
    let timer: NodeJS.Timeout | undefined;
    const watch = () => {
      const stuck = new Error('a picture that was given up is still being drawn');
      timer = setTimeout(() => this.giveUp(stuck), stuckMs);
    };
    signal.addEventListener('abort', watch, { once: true });
    try {
      return await draw();
    } catch (error) {
      if (!signal.aborted && isSuspect(error)) await selfTest().catch((reason) => this.giveUp(reason));
      if (!this.#isBroken) throw error;
      throw new AppError('UNAVAILABLE', 'the model can draw nothing any more: see /ping', { cause: error });
    } finally {
      signal.removeEventListener('abort', watch);
      clearTimeout(timer);
    }
  }
}

function isSuspect(error: unknown): boolean {
  return !(error instanceof AppError) || SUSPECT.has(error.code);
}
