import type { SessionHost } from '../runtime/session-host.js';
import type { TensorData } from '../runtime/tensor.js';
import type { Feed, Network, NetworkRun } from './network.js';

type Feeds = Readonly<Record<string, Feed>>;

export interface BatchedNetworkProps {
  readonly host: SessionHost;
  /** Runs what one caller brings. */
  readonly alone: Network;
  /** Runs what several bring; the same graph. */
  readonly together: Network;
  /** Of all callers in one run; what a single one brings may be more. */
  readonly maxRows: number;
  /** `together` is run with `maxRows` rows and never with fewer. */
  readonly isFull: boolean;
  /** Told of a run that has failed and is done again, caller by caller. @default nobody */
  readonly onTrouble?: ((what: string, error: unknown) => void) | undefined;
}

interface Call {
  readonly feeds: Feeds;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly resolve: (run: NetworkRun) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A network that several callers share (dynamic batching): calls wait while the session thread has anything else to do, and
 * those that wait when it has not go together in one run. It is never kept from work by that, and a lone call goes at once.
 *
 * Off unless somebody asks for it (MAX_BATCH_SIZE). A T4 should gain nothing: its model (`test/gpu/estimate.ts`) has the
 * UNet at 52.0 ms for one picture and 51.9, 51.8 for each of 2 and 4, since the products take longer than the weights, and on
 * CUDA a second session takes 3.3 GB more of the device. With the demo model on a CPU (`test/bench/batches.ts --queues`, 2
 * cores of an Intel Xeon that others used, 2026-11-29, 7 turns) the last of eight requests has its picture after 0.90 of
 * the time with 2, 0.84 with 4; with four steps 0.89 and 0.74. Median waits 0.96 and 0.95, 0.98 and 0.83; a lone request 0.89
 * to 0.94 of what it takes without. All pixels were the same there; in general rows may be rounded by the company they are in.
 *
 * Every input and output has a row for each picture, [rows, ...], of float32; all callers ask for the same outputs. A run
 * that fails is done again for each caller alone: what one brings fails no other.
 */
export class BatchedNetwork {
  readonly #props: BatchedNetworkProps;
  readonly #waiting: Call[] = [];
  #isServing = false;

  constructor(props: BatchedNetworkProps) {
    this.#props = props;
  }

  get takesSeveral(): boolean {
    return this.#props.alone.takesSeveral;
  }

  /**
   * As `Network.run`. The milliseconds of a run that was shared are those of its rows, in proportion.
   *
   * @throws AppError what a run alone throws
   */
  run(feeds: Feeds, ...outputs: readonly string[]): Promise<NetworkRun> {
    const rows = Object.values(feeds)[0]?.dims[0] ?? 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ feeds, outputs, rows, resolve, reject });
      if (!this.#isServing) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#waiting.length > 0) {
      await this.#props.host.idle();
      await this.#runTogether(this.#take());
    }
    this.#isServing = false;
  }

  /** In the order in which they came, as many as go together. */
  #take(): Call[] {
    const { maxRows, isFull } = this.#props;
    let rows = 0;
    let count = 0;
    for (const call of this.#waiting) {
      if (rows + call.rows > maxRows) break;
      rows += call.rows;
      count++;
    }
    return this.#waiting.splice(0, isFull && rows < maxRows ? 1 : Math.max(1, count));
  }

  /** Never rejects. */
  async #runTogether(calls: readonly Call[]): Promise<void> {
    const [first] = calls;
    if (calls.length > 1 && first) {
      try {
        const run = await this.#props.together.run(joinRows(calls), ...first.outputs);
        for (const [index, part] of splitRows(run, calls).entries()) calls[index]?.resolve(part);
        return;
      } catch (error) {
        this.#props.onTrouble?.('a run of several requests has failed, each is run alone', error);
      }
    }
    for (const { feeds, outputs, resolve, reject } of calls)
      await this.#props.alone.run(feeds, ...outputs).then(resolve, reject);
  }
}

function joinRows(calls: readonly Call[]): Feeds {
  const names = Object.keys(calls[0]?.feeds ?? {});
  return Object.fromEntries(
    names.map((name) => [name, concatenate(calls.map(({ feeds }) => feeds[name] as Feed))]),
  );
}

function concatenate(parts: readonly Feed[]): Feed {
  const values = new Float32Array(parts.reduce((size, part) => size + part.values.length, 0));
  let at = 0;
  let rows = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
    rows += part.dims[0] as number;
  }
  return { values, dims: [rows, ...(parts[0] as Feed).dims.slice(1)] };
}

function splitRows({ output, milliseconds }: NetworkRun, calls: readonly Call[]): NetworkRun[] {
  const all = output.dims[0] as number;
  const size = output.data.length / all;
  let row = 0;
  return calls.map(({ rows }) => {
    const data: TensorData['data'] = output.data.subarray(row * size, (row + rows) * size);
    row += rows;
    return {
      output: { ...output, data, dims: [rows, ...output.dims.slice(1)] },
      milliseconds: (milliseconds * rows) / all,
    };
  });
}
