import { AppError } from '../errors/app-error.js';
import type { SessionHost } from '../runtime/session-host.js';
import type { GraphSignature, RunResult, Tensors, ValueSignature } from '../runtime/session-messages.js';
import { type TensorData, toTensor } from '../runtime/tensor.js';

/** Numbers for one input, with the shape they have. */
export interface Feed {
  readonly values: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

/** One output of a run, and what the run took inside ONNX Runtime. */
export interface NetworkRun {
  readonly output: TensorData;
  readonly milliseconds: number;
}

/** A loaded graph that takes its inputs by name, in whatever types and ranks its exporter chose. */
export class Network {
  readonly #host: SessionHost;
  readonly #name: string;
  readonly #signature: GraphSignature;

  constructor(host: SessionHost, name: string, signature: GraphSignature) {
    this.#host = host;
    this.#name = name;
    this.#signature = signature;
  }

  /** Whether it takes several pictures in one run. */
  get takesSeveral(): boolean {
    return this.#signature.inputs.every(({ shape }) => typeof shape[0] !== 'number');
  }

  /** Whether these may differ in every input: other exporters make the timestep a scalar. */
  get takesDifferent(): boolean {
    return this.takesSeveral && this.#signature.inputs.every(({ shape }) => shape.length > 0);
  }

  /**
   * Runs the graph and returns one output, and all of them.
   *
   * @param outputs names it may have, the first that is there counts
   */
  async run(
    feeds: Readonly<Record<string, Feed>>,
    ...outputs: readonly string[]
  ): Promise<NetworkRun & { readonly all: Tensors }> {
    const tensors = this.#signature.inputs.map(
      (input) => [input.name, this.#adapt(input, feeds[input.name])] as const,
    );
    const result: RunResult = await this.#host.run(this.#name, Object.fromEntries(tensors) as Tensors);
    const name = outputs.find((candidate) => candidate in result.outputs);
    const output = name === undefined ? undefined : result.outputs[name];
    if (!output) {
      const has = Object.keys(result.outputs).join(', ');
      throw new AppError('UNSUPPORTED', `the ${this.#name} graph gives ${has}, not ${outputs.join(' or ')}`);
    }
    return { output, all: result.outputs, milliseconds: result.milliseconds };
  }

  #adapt(input: ValueSignature, feed: Feed | undefined): TensorData {
    if (!feed) {
      throw new AppError(
        'UNSUPPORTED',
        `the ${this.#name} graph asks for "${input.name}", which this pipeline has not`,
      );
    }
    // Other exporters make the timestep a scalar: it is the same for all pictures.
    if (input.shape.length === 0) return toTensor(feed.values.subarray(0, 1), input.type, []);
    return toTensor(feed.values, input.type, feed.dims);
  }
}
