import type { GraphBuilder } from '../../../onnx/graph-builder.js';
import type { WeightPlan } from '../../rewrite/weight-plan.js';
import type { WeightScope } from '../../weight-scope.js';
import type {
  Activation,
  AttentionOptions,
  ConvolutionOptions,
  EmbeddingOptions,
  FeatureMap,
  GroupNormOptions,
  LinearOptions,
  Operators,
  Rows,
  TimestepOptions,
  UpsampledConvolutionOptions,
} from '../operators.js';
import { activation } from './activation.js';
import { attention } from './attention.js';
import { CudaGraph } from './cuda-graph.js';
import { CudaValues } from './cuda-values.js';
import { convolveDoubled } from './doubled-convolution.js';
import { inputMap, inputRows, outputMap, outputPixels, outputRows } from './graph-edges.js';
import { takesBiasSplitGelu, takesPadding } from './kernel-limits.js';
import { groupNorm, layerNorm } from './normalisation.js';
import { timestepFeatures } from './timestep-features.js';

/** Of a Concat whose parts are arguments of its launch: 32 in all (core/providers/cuda/tensor/concat.cc). */
const MOST_PARTS = 16;

export interface CudaOperatorsOptions {
  /**
   * Layers give this many times their true numbers, up to the next normalisation, which does not see the difference: a
   * power of two below 1 is room for a network whose residuals would leave float16. @default 1
   */
  readonly headroom?: number;
}

/**
 * The dialect `cuda`: float16 in NHWC, in operators that ONNX Runtime has CUDA kernels for. Feature maps are
 * [B, H, W, C], rows [B, S, W]. Weights lie in a file of their own, in the order in which they are asked for here.
 */
export class CudaOperators implements Operators {
  readonly #graph: CudaGraph;
  readonly #values: CudaValues;
  readonly #headroom: number;

  constructor(graph: GraphBuilder, plan: WeightPlan, { headroom = 1 }: CudaOperatorsOptions = {}) {
    this.#graph = new CudaGraph(graph, plan);
    this.#values = new CudaValues(this.#graph);
    this.#headroom = headroom;
  }

  inputMap(name: string, channels: number, height: number, width: number): FeatureMap {
    return inputMap(this.#graph, name, channels, height, width);
  }

  inputRows(name: string, length: number, width: number): Rows {
    return inputRows(this.#graph, name, length, width);
  }

  outputMap(name: string, x: FeatureMap): void {
    outputMap(this.#graph, name, { ...x, value: this.#values.value(x) });
  }

  outputRows(name: string, length: number, x: Rows): void {
    outputRows(this.#graph, name, length, { ...x, value: this.#values.value(x) });
  }

  outputPixels(name: string, x: FeatureMap): void {
    outputPixels(this.#graph, name, { ...x, value: this.#values.stored(x) }, this.#values.scaleOf(x));
  }

  conv2d(scope: WeightScope, x: FeatureMap, options: ConvolutionOptions): FeatureMap {
    const graph = this.#graph;
    const { channels, kernel, stride = 1, bias = true } = options;
    const half = (kernel - 1) / 2;
    const padding = options.padding ?? ([half, half, half, half] as const);
    const [top, left, bottom, right] = padding;
    const fits = takesPadding(padding);
    const stored = this.#values.stored(x);
    const input = fits
      ? stored
      : graph.node(scope.path, 'Pad', [stored, graph.builder.int64s([0, top, left, 0, 0, bottom, right, 0])]);
    const scale = this.#headroom;
    const filters = scope.take('weight', [channels, x.channels, kernel, kernel]);
    const weight = graph.convolution(filters, scale / this.#values.scaleOf(x));
    const attributes = {
      kernel_shape: { ints: [kernel, kernel] },
      pads: { ints: fits ? padding : [0, 0, 0, 0] },
      strides: { ints: [stride, stride] },
    };
    const product = (...addend: readonly string[]) =>
      graph.contrib(scope.path, 'NhwcConv', [input, weight, ...addend], attributes);
    const biases = bias ? [scope.take('bias', [channels])] : [];
    const height = Math.floor((x.height + top + bottom - kernel) / stride) + 1;
    const width = Math.floor((x.width + left + right - kernel) / stride) + 1;
    const pixels = [height, width] as const;
    const value = this.#values.defer({ scope: scope.path, product, biases, channels, pixels, scale });
    return { value, channels, height, width };
  }

  groupNorm(scope: WeightScope, x: FeatureMap, options: GroupNormOptions): FeatureMap {
    return groupNorm(this.#graph, this.#values, scope, x, options);
  }

  upsampledConv2d(scope: WeightScope, x: FeatureMap, options: UpsampledConvolutionOptions): FeatureMap {
    const { height, width, channels, bias = true } = options;
    if (height !== 2 * x.height || width !== 2 * x.width)
      return this.conv2d(scope, this.#upsample(scope, x, height, width), { channels, kernel: 3, bias });
    const graph = this.#graph;
    const scale = this.#headroom;
    const filters = scope.take('weight', [channels, x.channels, 3, 3]);
    const input = { ...x, value: this.#values.stored(x) };
    const product = (...addend: readonly string[]) => {
      const map = convolveDoubled(graph, scope.path, input, filters, scale / this.#values.scaleOf(x));
      return addend.length === 0 ? map : graph.node(scope.path, 'Add', [map, ...addend]);
    };
    const biases = bias ? [scope.take('bias', [channels])] : [];
    const pixels = [height, width] as const;
    const value = this.#values.defer({ scope: scope.path, product, biases, channels, pixels, scale });
    return { value, channels, height, width };
  }

  concatChannels(scope: WeightScope, a: FeatureMap, b: FeatureMap): FeatureMap {
    const inputs = [...this.#parts(scope, a, b.channels), ...this.#parts(scope, b, a.channels)];
    const value = this.#graph.node(scope.path, 'Concat', inputs, { axis: { int: 3 } });
    return { ...a, value, channels: a.channels + b.channels };
  }

  shiftChannels(scope: WeightScope, x: FeatureMap, shift: Rows): FeatureMap {
    const sum = this.#values.waiting(x);
    const other = this.#values.waiting(shift);
    if (!sum || sum.skip || sum.scale !== 1 || !other) {
      const shiftOver = this.#overPixels(scope, this.#values.value(shift), x.channels);
      return { ...x, value: this.#graph.node(scope.path, 'Add', [this.#values.value(x), shiftOver]) };
    }
    // Both layers have biases, which are added to the same numbers.
    const biases = [...sum.biases, ...other.biases];
    const skip = { value: other.product(), perChannel: true };
    return { ...x, value: this.#values.defer({ ...sum, biases, skip }) };
  }

  scaleShiftChannels(scope: WeightScope, x: FeatureMap, scaleShift: Rows): FeatureMap {
    const { builder } = this.#graph;
    const node = (operator: string, inputs: readonly string[]) =>
      this.#graph.node(scope.path, operator, inputs);
    const [scale, shift] = this.#halve(scope, this.#values.value(scaleShift), 1);
    const factor = this.#overPixels(scope, node('Add', [scale, builder.halves([1])]), x.channels);
    const scaled = node('Mul', [this.#values.value(x), factor]);
    return { ...x, value: node('Add', [scaled, this.#overPixels(scope, shift, x.channels)]) };
  }

  toRows(scope: WeightScope, x: FeatureMap): Rows {
    const value = this.#graph.reshape(scope.path, this.#values.value(x), [0, x.height * x.width, x.channels]);
    return { value, width: x.channels };
  }

  toMap(scope: WeightScope, x: Rows, height: number, width: number): FeatureMap {
    const shape = { channels: x.width, height, width };
    const asMap = (value: string) => this.#graph.reshape(scope.path, value, [0, height, width, x.width]);
    const sum = this.#values.waiting(x);
    if (!sum || sum.skip) return { value: asMap(this.#values.value(x)), ...shape };
    const product = (...addend: readonly string[]) => asMap(sum.product(...addend));
    return { value: this.#values.defer({ ...sum, product, pixels: [height, width] }), ...shape };
  }

  embedTokens(scope: WeightScope, input: string, { vocabulary, length, width }: EmbeddingOptions): Rows {
    const graph = this.#graph;
    const ids = graph.builder.input(input, 'int32', ['batch', length]);
    const table = graph.weight(scope.take('token_embedding.weight', [vocabulary, width]));
    const positions = graph.weight(scope.take('position_embedding.weight', [length, width]));
    const tokens = graph.node(scope.path, 'Gather', [table, ids]);
    return { value: graph.node(scope.path, 'Add', [tokens, positions]), width };
  }

  embedTimestep(scope: WeightScope, input: string, options: TimestepOptions): Rows {
    const value = timestepFeatures(this.#graph, scope.path, input, options);
    this.#values.setPrecise(value);
    return { value, width: options.channels };
  }

  linear(scope: WeightScope, x: Rows, width: number, options: LinearOptions = {}): Rows {
    const graph = this.#graph;
    const { bias = true, precise = false } = options;
    const weight = scope.take('weight', [width, x.width]);
    const biases = bias ? [scope.take('bias', [width])] : [];
    if (precise) {
      const type = 'float32';
      let value = graph.matMul(scope.path, this.#values.stored(x), graph.weight(weight, { type }));
      for (const each of biases) value = graph.node(scope.path, 'Add', [value, graph.weight(each, { type })]);
      this.#values.setPrecise(value);
      return { value, width };
    }
    const scale = this.#headroom;
    const inputs = [this.#values.value(x), graph.weight(weight, { factor: scale })] as const;
    const product = (...addend: readonly string[]) => {
      const value = graph.matMul(scope.path, ...inputs);
      return addend.length === 0 ? value : graph.node(scope.path, 'Add', [value, ...addend]);
    };
    const value = this.#values.defer({ scope: scope.path, product, biases, channels: width, scale });
    return { value, width };
  }

  layerNorm(scope: WeightScope, x: Rows, epsilon: number): Rows {
    return layerNorm(this.#graph, this.#values, scope, x, epsilon);
  }

  geglu(scope: WeightScope, x: Rows, width: number): Rows {
    const graph = this.#graph;
    const weight = graph.weight(scope.take('weight', [2 * width, x.width]));
    const bias = graph.weight(scope.take('bias', [2 * width]));
    const product = graph.matMul(scope.path, this.#values.value(x), weight);
    if (takesBiasSplitGelu(2 * width))
      return { value: graph.contrib(scope.path, 'BiasSplitGelu', [product, bias]), width };
    const [left, right] = this.#halve(scope, graph.node(scope.path, 'Add', [product, bias]), 2);
    const gate = activation(graph, scope.path, right, 'gelu');
    return { value: graph.node(scope.path, 'Mul', [left, gate]), width };
  }

  attention(scope: WeightScope, options: AttentionOptions): Rows {
    const value = attention(this.#graph, scope, options, (x) => this.#values.value(x));
    return { value, width: options.query.input.width };
  }

  activate<T extends FeatureMap | Rows>(scope: WeightScope, x: T, kind: Activation): T {
    const sum = this.#values.waiting(x);
    const isPlain = sum && !sum.skip && !sum.pixels && sum.scale === 1;
    if (isPlain && sum.biases.length > 0 && kind === 'gelu') {
      const inputs = [sum.product(), ...this.#values.biases(sum)];
      return { ...x, value: this.#graph.contrib(scope.path, 'BiasGelu', inputs) };
    }
    const isPrecise = this.#values.isPrecise(x);
    const input = isPrecise ? this.#values.stored(x) : this.#values.value(x);
    const value = activation(this.#graph, scope.path, input, kind);
    if (isPrecise) this.#values.setPrecise(value);
    return { ...x, value };
  }

  add<T extends FeatureMap | Rows>(scope: WeightScope, a: T, b: T): T {
    return { ...a, value: this.#values.add(scope.path, a, b) };
  }

  multiply<T extends FeatureMap | Rows>(scope: WeightScope, x: T, factor: number): T {
    return this.#withConstant(scope, 'Mul', x, factor);
  }

  addConstant<T extends FeatureMap | Rows>(scope: WeightScope, x: T, constant: number): T {
    return this.#withConstant(scope, 'Add', x, constant);
  }

  tanh<T extends FeatureMap | Rows>(scope: WeightScope, x: T): T {
    return { ...x, value: this.#graph.node(scope.path, 'Tanh', [this.#values.value(x)]) };
  }

  #upsample(scope: WeightScope, x: FeatureMap, height: number, width: number): FeatureMap {
    const { builder } = this.#graph;
    const integral = height % x.height === 0 && width % x.width === 0;
    const input = this.#values.stored(x);
    const inputs = integral
      ? [input, '', builder.floats([1, height / x.height, width / x.width, 1])]
      : [input, '', '', builder.int64s([height, width])];
    const value = this.#graph.node(scope.path, 'Resize', inputs, {
      mode: { string: 'nearest' },
      coordinate_transformation_mode: { string: 'asymmetric' },
      nearest_mode: { string: 'floor' },
      ...(integral ? {} : { axes: { ints: [1, 2] } }),
    });
    this.#values.setScale(value, this.#values.scaleOf(x));
    return { ...x, value, height, width };
  }

  #withConstant<T extends FeatureMap | Rows>(scope: WeightScope, operator: string, x: T, number: number): T {
    const constant = this.#graph.builder.halves([number]);
    return { ...x, value: this.#graph.node(scope.path, operator, [this.#values.value(x), constant]) };
  }

  /** [B, C] as [B, 1, 1, C]. */
  #overPixels(scope: WeightScope, value: string, channels: number): string {
    return this.#graph.reshape(scope.path, value, [0, 1, 1, channels]);
  }

  #halve(scope: WeightScope, value: string, axis: number): [string, string] {
    return this.#split(scope, value, axis, 2) as [string, string];
  }

  #split(scope: WeightScope, value: string, axis: number, outputs: number): string[] {
    const attributes = { axis: { int: axis }, num_outputs: { int: outputs } };
    return this.#graph.builder.nodeOutputs(scope.path, 'Split', [value], { attributes, outputs });
  }

  /**
   * A map in parts of `channels` each where it has a multiple of them: Concat and Split of equal parts take them as the
   * arguments of one launch, where unequal ones are described by four tables that every run copies to the device.
   */
  #parts(scope: WeightScope, x: FeatureMap, channels: number): string[] {
    const value = this.#values.value(x);
    const parts = x.channels / channels;
    return Number.isInteger(parts) && parts > 1 && parts <= MOST_PARTS
      ? this.#split(scope, value, 3, parts)
      : [value];
  }
}
