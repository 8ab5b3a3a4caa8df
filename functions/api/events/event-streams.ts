import { AppError } from '../../../lib/errors/app-error.js';

/** Each looks at the store every second: more of them than this are a fault somewhere. */
const MOST_OPEN = 100;
/** After that a stream ends, and whoever follows comes back: what has forgotten to go does not stay. Milliseconds. */
const LONGEST_MS = 15 * 60_000;

export interface EventStreamsProps {
  /** How long one may last. Milliseconds. @default 15 minutes */
  readonly limitMs?: number;
  /**
   * Where an answer is only seen once it is whole: it ends so long after the first news in it, so that they are not
   * kept back until the limit. Milliseconds. @default what is written is seen at once
   */
  readonly settleMs?: number;
  /** How many may be open. @default 100 */
  readonly most?: number;
  /** Aborted when the service stops. @default never */
  readonly stopping?: AbortSignal;
}

/** The streams of events that are open in this process. */
export class EventStreams {
  readonly limitMs: number;
  readonly settleMs: number | undefined;
  readonly stopping: AbortSignal | undefined;
  readonly #most: number;
  #open = 0;

  constructor({ limitMs = LONGEST_MS, settleMs, most = MOST_OPEN, stopping }: EventStreamsProps = {}) {
    this.limitMs = limitMs;
    this.settleMs = settleMs;
    this.stopping = stopping;
    this.#most = most;
  }

  /** @throws AppError UNAVAILABLE where there are too many */
  begin(): void {
    if (this.#open >= this.#most)
      throw new AppError(
        'UNAVAILABLE',
        'too many streams of events are open: ask with Prefer: wait=20 instead',
      );
    this.#open++;
  }

  end(): void {
    this.#open--;
  }
}
