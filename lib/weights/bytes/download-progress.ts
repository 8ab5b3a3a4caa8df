/**
 * @param bytesDone never more than `bytesTotal`; falls back when a chunk has to be fetched again
 * @param file the path whose bytes came last
 */
export type OnProgress = (bytesDone: number, bytesTotal: number, file: string) => void;

/** Often enough for a bar on a slow line, too seldom to cost anything on a fast one. */
const STEP_BYTES = 1024 * 1024;

/** Counts bytes and reports about once a step, and at the end. */
export class DownloadProgress {
  readonly #total: number;
  readonly #report: OnProgress;
  #done = 0;
  #reported = 0;

  constructor(total: number, report: OnProgress) {
    this.#total = total;
    this.#report = report;
  }

  add(count: number, file: string): void {
    this.#done += count;
    if (Math.abs(this.#done - this.#reported) < STEP_BYTES && this.#done !== this.#total) return;
    this.#reported = this.#done;
    this.#report(this.#done, this.#total, file);
  }
}
