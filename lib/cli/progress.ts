const BAR_WIDTH = 24;
/** Without a terminal, a line for each of this many parts of the whole. */
const LINES = 4;

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Runs `use` with a progress line, which is gone from the terminal afterwards, also after an error. */
export async function withProgress<T>(
  stream: ProgressStream,
  use: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(stream);
  try {
    return await use(progress);
  } finally {
    progress.end();
  }
}

/** Says what is going on: one line that changes on a terminal, few plain lines elsewhere. */
export class Progress {
  readonly #stream: ProgressStream;
  #lastLine = '';

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  say(text: string): void {
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** What stays on a terminal, too. */
  note(text: string): void {
    this.end();
    this.#stream.write(`${text}\n`);
  }

  /**
   * @param done of `total`, in any unit
   * @param more behind the percent
   */
  update(text: string, done: number, total: number, more = ''): void {
    const part = total === 0 ? 1 : done / total;
    if (this.#stream.isTTY) {
      const filled = Math.round(part * BAR_WIDTH);
      this.say(
        `${text} [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(part * 100)} %${more}`,
      );
      return;
    }
    const line = `${text} ${Math.floor(part * LINES) * (100 / LINES)} %`;
    if (line !== this.#lastLine) this.say(`${line}${more}`);
    this.#lastLine = line;
  }

  /** Leaves the terminal's line clean for what comes next. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
