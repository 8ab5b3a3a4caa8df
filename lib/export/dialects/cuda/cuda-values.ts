import type { StoredTensor } from '../../../weights/checkpoint/safetensors-header.js';
import type { FeatureMap, Rows } from '../operators.js';
import type { CudaGraph } from './cuda-graph.js';
import { takesBiasAdd } from './kernel-limits.js';

/** The product of a layer with its weights, and what is added to it: not in the graph yet. */
export interface PendingSum {
  /** Of the layer. */
  readonly scope: string;
  /**
   * Puts the product into the graph.
   *
   * @param bias none, or one that is added too: one number per channel
   */
  readonly product: (...bias: readonly string[]) => string;
  /** One number per channel each. */
  readonly biases: readonly StoredTensor[];
  /** In the graph: of the product's shape, or [B, channels], which is added to every pixel. @default none */
  readonly skip?: { readonly value: string; readonly perChannel: boolean };
  readonly channels: number;
  /** Height and width where the product is a map; rows have none. */
  readonly pixels?: readonly [number, number] | undefined;
  /** Product and skip hold this many times their true numbers. Biases are true. */
  readonly scale: number;
}

/**
 * What a value that the networks pass around is in the graph.
 *
 * Sums wait for their reader. Most are read by a normalisation first, whose kernel adds up for nothing; which one it
 * is shows only when it comes. Until then, and afterwards, a name of its own stands for each sum.
 */
export class CudaValues {
  readonly #graph: CudaGraph;
  readonly #waiting = new Map<string, PendingSum>();
  readonly #settled = new Map<string, string>();
  readonly #scales = new Map<string, number>();
  readonly #trueSized = new Map<string, string>();
  /** Values in float32, and what they are in float16 once somebody has asked. */
  readonly #precise = new Map<string, string | undefined>();
  #count = 0;

  constructor(graph: CudaGraph) {
    this.#graph = graph;
  }

  defer(sum: PendingSum): string {
    const name = `sum ${this.#count++}`;
    this.#waiting.set(name, { ...sum, product: this.#once(sum) });
    this.setScale(name, sum.scale);
    return name;
  }

  /** The sum of two values, which waits. Where both are products of layers, their biases become one. */
  add(scope: string, a: FeatureMap | Rows, b: FeatureMap | Rows): string {
    const scale = this.scaleOf(a) === this.scaleOf(b) ? this.scaleOf(a) : 1;
    const [product, other] = this.#isOpen(b, scale) ? [b, a] : [a, b];
    const sum = this.#asSum(product, scale);
    const { product: skip, biases } = this.#asSum(other, scale);
    return this.defer({
      ...sum,
      scope,
      biases: [...sum.biases, ...biases],
      skip: { value: skip(), perChannel: false },
    });
  }

  /** The sum behind a value, while it is not in the graph. */
  waiting(x: FeatureMap | Rows): PendingSum | undefined {
    return this.#waiting.get(x.value);
  }

  /** The sum is in the graph now, as `value`. */
  settleAs(x: FeatureMap | Rows, value: string): void {
    this.#waiting.delete(x.value);
    this.#settled.set(x.value, value);
  }

  /** The value in the graph: at its scale, and in float32 if it is `precise`. */
  stored(x: FeatureMap | Rows): string {
    const sum = this.#waiting.get(x.value);
    if (sum) this.settleAs(x, this.#emit(sum));
    return this.#settled.get(x.value) ?? x.value;
  }

  /** The value in the graph in float16, at its true size. */
  value(x: FeatureMap | Rows): string {
    const stored = this.stored(x);
    const scale = this.scaleOf(x);
    if (scale !== 1) return this.#atTrueSize(stored, scale);
    if (!this.#precise.has(stored)) return stored;
    // Nothing else is precise beyond one layer.
    const half = this.#precise.get(stored) ?? this.#graph.cast('time_embedding', stored, 'float16');
    this.#precise.set(stored, half);
    return half;
  }

  scaleOf({ value }: FeatureMap | Rows): number {
    return this.#scales.get(value) ?? 1;
  }

  setScale(value: string, scale: number): void {
    if (scale !== 1) this.#scales.set(value, scale);
  }

  setPrecise(value: string): void {
    this.#precise.set(value, undefined);
  }

  isPrecise(x: FeatureMap | Rows): boolean {
    return this.#precise.has(this.stored(x));
  }

  /** The biases of a sum as the last inputs of a node: one or none. */
  biases({ biases, scale }: PendingSum): string[] {
    return biases.length === 0 ? [] : [this.#graph.biases(biases, scale)];
  }

  /** Two sums can have one product in common. */
  #once({ scope, product }: PendingSum): PendingSum['product'] {
    let bare: string | undefined;
    return (...bias) => {
      if (bare === undefined && bias.length > 0) return product(...bias);
      bare ??= product();
      return this.#plus(scope, bare, bias);
    };
  }

  #plus(scope: string, value: string, bias: readonly string[]): string {
    return bias.length === 0 ? value : this.#graph.node(scope, 'Add', [value, ...bias]);
  }

  /** Whether a value is a sum that can take a skip. */
  #isOpen({ value }: FeatureMap | Rows, scale: number): boolean {
    const sum = this.#waiting.get(value);
    return sum !== undefined && !sum.skip && sum.scale === scale;
  }

  #asSum(x: FeatureMap | Rows, scale: number): PendingSum {
    if (this.#isOpen(x, scale)) return this.#waiting.get(x.value) as PendingSum;
    const value = scale === 1 ? this.value(x) : this.stored(x);
    const product = (...bias: readonly string[]) => this.#plus(value, value, bias);
    const pixels = 'height' in x ? ([x.height, x.width] as const) : undefined;
    const channels = 'channels' in x ? x.channels : x.width;
    return { scope: value, product, biases: [], channels, pixels, scale };
  }

  #emit(sum: PendingSum): string {
    const graph = this.#graph;
    const { scope, skip, channels, pixels } = sum;
    const bias = this.biases(sum);
    if (!skip) return sum.product(...bias);
    if (skip.perChannel) {
      const overPixels = graph.reshape(scope, skip.value, [0, 1, 1, channels]);
      return graph.node(scope, 'Add', [sum.product(...bias), overPixels]);
    }
    if (bias.length === 0 || !takesBiasAdd(channels))
      return graph.node(scope, 'Add', [sum.product(...bias), skip.value]);
    if (!pixels) return graph.contrib(scope, 'BiasAdd', [sum.product(), ...bias, skip.value]);
    const [height, width] = pixels;
    const rows = (value: string) => graph.reshape(scope, value, [0, height * width, channels]);
    const total = graph.contrib(scope, 'BiasAdd', [rows(sum.product()), ...bias, rows(skip.value)]);
    return graph.reshape(scope, total, [0, height, width, channels]);
  }

  #atTrueSize(stored: string, scale: number): string {
    const known = this.#trueSized.get(stored);
    if (known !== undefined) return known;
    const value = this.#graph.node(stored, 'Mul', [stored, this.#graph.builder.halves([1 / scale])]);
    this.#trueSized.set(stored, value);
    return value;
  }
}
