import type { WeightScope } from '../weight-scope.js';
import type {
  AttentionOptions,
  ConvolutionOptions,
  EmbeddingOptions,
  FeatureMap,
  LinearOptions,
  Operators,
  Rows,
  TimestepOptions,
  UpsampledConvolutionOptions,
} from './operators.js';

/** What one operator asks of a machine for one picture, whatever the dialect and precision. */
export interface OperatorWork {
  /** Of matrix products: two floating-point operations each. */
  readonly multiplyAdds: number;
  /** Weights, and values read and written: how many numbers cross the memory when nothing stays in a cache. */
  readonly numbersMoved: number;
}

type Value = FeatureMap | Rows;

/**
 * A dialect that makes no graph: it counts what a network asks for. A convolution, a normalisation with its activation,
 * an attention without its projections and a gated feed-forward input count as one operator each, as a good runtime
 * fuses them; reshapes cost nothing. Weights are not looked at.
 */
export class WorkOperators implements Operators {
  readonly work: OperatorWork[] = [];

  inputMap(_name: string, channels: number, height: number, width: number): FeatureMap {
    return { value: '', channels, height, width };
  }

  inputRows(_name: string, length: number, width: number): Rows {
    return this.#rows(length, width);
  }

  outputMap(): void {}
  outputRows(): void {}

  outputPixels(_name: string, x: FeatureMap): void {
    this.#pass(x, x);
  }

  conv2d(_scope: WeightScope, x: FeatureMap, options: ConvolutionOptions): FeatureMap {
    const { channels, kernel, stride = 1 } = options;
    const half = (kernel - 1) / 2;
    const [top, left, bottom, right] = options.padding ?? [half, half, half, half];
    const height = Math.floor((x.height + top + bottom - kernel) / stride) + 1;
    const width = Math.floor((x.width + left + right - kernel) / stride) + 1;
    const result = { value: '', channels, height, width };
    const weights = channels * x.channels * kernel ** 2;
    this.#count(weights * height * width, weights + this.#size(x) + this.#size(result));
    return result;
  }

  groupNorm(_scope: WeightScope, x: FeatureMap): FeatureMap {
    return this.#pass(x, x);
  }

  /** As diffusers computes it: what a dialect saves here shows in its time. */
  upsampledConv2d(scope: WeightScope, x: FeatureMap, options: UpsampledConvolutionOptions): FeatureMap {
    const { height, width, channels } = options;
    return this.conv2d(scope, this.#pass({ ...x, height, width }, x), { channels, kernel: 3 });
  }

  concatChannels(_scope: WeightScope, a: FeatureMap, b: FeatureMap): FeatureMap {
    return this.#pass({ ...a, channels: a.channels + b.channels }, a, b);
  }

  shiftChannels(_scope: WeightScope, x: FeatureMap, shift: Rows): FeatureMap {
    return this.#pass(x, x, shift);
  }

  scaleShiftChannels(_scope: WeightScope, x: FeatureMap, scaleShift: Rows): FeatureMap {
    return this.#pass(x, x, scaleShift);
  }

  toRows(_scope: WeightScope, x: FeatureMap): Rows {
    return this.#rows(x.height * x.width, x.channels);
  }

  toMap(_scope: WeightScope, x: Rows, height: number, width: number): FeatureMap {
    return { value: '', channels: x.width, height, width };
  }

  embedTokens(_scope: WeightScope, _input: string, { length, width }: EmbeddingOptions): Rows {
    const result = this.#rows(length, width);
    return this.#pass(result, result, result);
  }

  embedTimestep(_scope: WeightScope, _input: string, { channels }: TimestepOptions): Rows {
    return this.#rows(1, channels);
  }

  linear(_scope: WeightScope, x: Rows, width: number, _options?: LinearOptions): Rows {
    const result = this.#rows(this.#length(x), width);
    this.#multiply(x, width, result);
    return result;
  }

  layerNorm(_scope: WeightScope, x: Rows): Rows {
    return this.#pass(x, x);
  }

  geglu(_scope: WeightScope, x: Rows, width: number): Rows {
    const result = this.#rows(this.#length(x), width);
    this.#multiply(x, 2 * width, result);
    return result;
  }

  attention(_scope: WeightScope, { query, key, value }: AttentionOptions): Rows {
    const { width } = query.input;
    const [q, k, v] = [query, key, value].map(({ scope, input }) => this.linear(scope, input, width)) as [
      Rows,
      Rows,
      Rows,
    ];
    // Scores and their product with the values, over all heads; masked ones are counted.
    const multiplyAdds = 2 * this.#length(q) * this.#length(k) * width;
    this.#count(multiplyAdds, 2 * this.#size(q) + this.#size(k) + this.#size(v));
    return q;
  }

  activate<T extends Value>(_scope: WeightScope, x: T): T {
    return this.#pass(x, x);
  }

  add<T extends Value>(_scope: WeightScope, a: T, b: T): T {
    return this.#pass(a, a, b);
  }

  multiply<T extends Value>(_scope: WeightScope, x: T): T {
    return this.#pass(x, x);
  }

  addConstant<T extends Value>(_scope: WeightScope, x: T): T {
    return this.#pass(x, x);
  }

  tanh<T extends Value>(_scope: WeightScope, x: T): T {
    return this.#pass(x, x);
  }

  /** An operator without products: reads `inputs`, writes `result`. */
  #pass<T extends Value>(result: T, ...inputs: readonly Value[]): T {
    const sizes = [result, ...inputs].map((each) => this.#size(each));
    this.#count(
      0,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    return result;
  }

  /** `x` times a weight of `width` rows. */
  #multiply(x: Rows, width: number, result: Rows): void {
    const weights = x.width * width;
    this.#count(this.#length(x) * weights, weights + this.#size(x) + this.#size(result));
  }

  #count(multiplyAdds: number, numbersMoved: number): void {
    this.work.push({ multiplyAdds, numbersMoved });
  }

  /** Nothing asks for the names of values here: that of rows says how many tokens they are, 1 for an embedding. */
  #rows(length: number, width: number): Rows {
    return { value: String(length), width };
  }

  #length(x: Rows): number {
    return Number(x.value);
  }

  #size(x: Value): number {
    return 'channels' in x ? x.channels * x.height * x.width : this.#length(x) * x.width;
  }
}
