import type { GraphBuilder, NodeOptions } from '../../onnx/graph-builder.js';
import { ELEMENT_TYPE, type ElementType } from '../../onnx/model.js';
import type { Precision } from '../../schemas/manifest.js';
import type { StoredTensor } from '../../weights/checkpoint/safetensors-header.js';
import type { WeightPlan } from '../rewrite/weight-plan.js';
import type { WeightScope } from '../weight-scope.js';
import { convolve } from './convolution.js';
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
} from './operators.js';
import { outputMean } from './output-mean.js';
import { preciseGroupNorm } from './precise-group-norm.js';
import { timestepFrequencies } from './timestep-frequencies.js';
import { convolveDoubled, upsample } from './upsampled-convolution.js';
import { type RowRange, storedInitializer, summedInitializer } from './weight-initializers.js';
import { convolveTiles, takesTiles, WINOGRAD_LIMITS, type WinogradLimits } from './winograd-convolution.js';

const MICROSOFT = 'com.microsoft';
const BATCH = 'batch';

export interface StandardOptions {
  /** Of the arithmetic. */
  readonly precision: Precision;
  /** Of the file for sums of weights. @default upsampling does without them */
  readonly plan?: WeightPlan;
  /** @default WINOGRAD_LIMITS */
  readonly winograd?: readonly WinogradLimits[];
}

/**
 * The dialect `standard`: ONNX operators, and those of ONNX Runtime's that have CPU kernels. Feature maps
 * are [B, C, H, W], rows [B, S, W]. Weights stay where they are and are cast to the precision of the
 * arithmetic, which ONNX Runtime does once, when it folds constants; only sums of them lie in a file of their own.
 */
export class StandardOperators implements Operators {
  readonly #graph: GraphBuilder;
  readonly #type: Precision;
  readonly #plan: WeightPlan | undefined;
  readonly #winograd: readonly WinogradLimits[];

  constructor(graph: GraphBuilder, { precision, plan, winograd = WINOGRAD_LIMITS }: StandardOptions) {
    this.#graph = graph;
    this.#type = precision;
    this.#plan = plan;
    this.#winograd = winograd;
  }

  inputMap(name: string, channels: number, height: number, width: number): FeatureMap {
    const value = this.#graph.input(name, 'float32', [BATCH, channels, height, width]);
    return { value: this.#cast(name, value, 'float32', this.#type), channels, height, width };
  }

  inputRows(name: string, length: number, width: number): Rows {
    const value = this.#graph.input(name, 'float32', [BATCH, length, width]);
    return { value: this.#cast(name, value, 'float32', this.#type), width };
  }

  outputMap(name: string, x: FeatureMap): void {
    const value = this.#cast(name, x.value, this.#type, 'float32');
    this.#graph.output(name, 'float32', [BATCH, x.channels, x.height, x.width], value);
  }

  outputRows(name: string, length: number, x: Rows): void {
    const value = this.#cast(name, x.value, this.#type, 'float32');
    this.#graph.output(name, 'float32', [BATCH, length, x.width], value);
  }

  outputPixels(name: string, x: FeatureMap): void {
    const graph = this.#graph;
    const scalar = (value: number) => graph.floats([value], []);
    // As diffusers: x / 2 + 0.5, clamped, times 255, rounded half to even.
    let value = this.#cast(name, x.value, this.#type, 'float32');
    value = graph.node(name, 'Mul', [value, scalar(0.5)]);
    const levels = graph.node(name, 'Add', [value, scalar(0.5)]);
    value = graph.node(name, 'Clip', [levels, scalar(0), scalar(1)]);
    value = graph.node(name, 'Mul', [value, scalar(255)]);
    value = this.#cast(name, graph.node(name, 'Round', [value]), 'float32', 'uint8');
    value = graph.node(name, 'Transpose', [value], { attributes: { perm: { ints: [0, 2, 3, 1] } } });
    graph.output(name, 'uint8', [BATCH, x.height, x.width, x.channels], value);
    outputMean(graph, name, levels);
  }

  conv2d(scope: WeightScope, x: FeatureMap, options: ConvolutionOptions): FeatureMap {
    const { channels, kernel, bias = true } = options;
    const weights = [this.#weight(scope.take('weight', [channels, x.channels, kernel, kernel]))];
    if (bias) weights.push(this.#weight(scope.take('bias', [channels])));
    const tiled = this.#type === 'float32' && takesTiles(x, options, this.#winograd);
    const convolution = tiled ? convolveTiles : convolve;
    return convolution(this.#graph, scope.path, x, weights, options);
  }

  groupNorm(scope: WeightScope, x: FeatureMap, options: GroupNormOptions): FeatureMap {
    const graph = this.#graph;
    const { activation } = options;
    const whole = this.#normalised(scope.path, x, options);
    const perChannel = graph.int64s([x.channels, 1, 1]);
    const [scale, shift] = (['weight', 'bias'] as const).map((name) =>
      graph.node(scope.path, 'Reshape', [this.#weight(scope.take(name, [x.channels])), perChannel]),
    ) as [string, string];
    const scaled = graph.node(scope.path, 'Mul', [whole, scale]);
    const shifted = { ...x, value: graph.node(scope.path, 'Add', [scaled, shift]) };
    return activation ? this.activate(scope, shifted, activation) : shifted;
  }

  /** Mean 0 and variance 1 in each group. */
  #normalised(name: string, x: FeatureMap, { groups, epsilon, precise = false }: GroupNormOptions): string {
    const graph = this.#graph;
    if (precise) {
      const wide = { ...x, value: this.#cast(name, x.value, this.#type, 'float32') };
      return this.#cast(
        name,
        preciseGroupNorm(graph, name, wide, { groups, epsilon }),
        'float32',
        this.#type,
      );
    }
    const ones = this.#constant(new Array(groups).fill(1));
    const zeros = this.#constant(new Array(groups).fill(0));
    const grouped = graph.node(name, 'Reshape', [x.value, graph.int64s([0, groups, -1])]);
    const normed = graph.node(name, 'InstanceNormalization', [grouped, ones, zeros], {
      attributes: { epsilon: { float: epsilon } },
    });
    return graph.node(name, 'Reshape', [normed, graph.int64s([0, x.channels, x.height, x.width])]);
  }

  upsampledConv2d(scope: WeightScope, x: FeatureMap, options: UpsampledConvolutionOptions): FeatureMap {
    const { height, width, channels, bias = true } = options;
    const plan = this.#plan;
    if (!plan || height !== 2 * x.height || width !== 2 * x.width)
      return this.conv2d(scope, upsample(this.#graph, scope, x, height, width), {
        channels,
        kernel: 3,
        bias,
      });
    const kernel = scope.take('weight', [channels, x.channels, 3, 3]);
    return convolveDoubled(this.#graph, scope, x, {
      channels,
      weight: (phase) => summedInitializer(this.#graph, plan, kernel, this.#type, phase),
      ...(bias && { bias: this.#weight(scope.take('bias', [channels])) }),
    });
  }

  concatChannels(scope: WeightScope, a: FeatureMap, b: FeatureMap): FeatureMap {
    const value = this.#graph.node(scope.path, 'Concat', [a.value, b.value], {
      attributes: { axis: { int: 1 } },
    });
    return { ...a, value, channels: a.channels + b.channels };
  }

  shiftChannels(scope: WeightScope, x: FeatureMap, shift: Rows): FeatureMap {
    const value = this.#graph.node(scope.path, 'Add', [x.value, this.#overPixels(scope, shift.value)]);
    return { ...x, value };
  }

  scaleShiftChannels(scope: WeightScope, x: FeatureMap, scaleShift: Rows): FeatureMap {
    const graph = this.#graph;
    const [scale, shift] = graph.nodeOutputs(scope.path, 'Split', [scaleShift.value], {
      attributes: { axis: { int: 1 }, num_outputs: { int: 2 } },
      outputs: 2,
    }) as [string, string];
    const factor = graph.node(scope.path, 'Add', [scale, this.#constant([1])]);
    const scaled = graph.node(scope.path, 'Mul', [x.value, this.#overPixels(scope, factor)]);
    return { ...x, value: graph.node(scope.path, 'Add', [scaled, this.#overPixels(scope, shift)]) };
  }

  toRows(scope: WeightScope, x: FeatureMap): Rows {
    const flat = this.#graph.node(scope.path, 'Reshape', [x.value, this.#graph.int64s([0, x.channels, -1])]);
    return { value: this.#swapLastAxes(scope, flat), width: x.channels };
  }

  toMap(scope: WeightScope, x: Rows, height: number, width: number): FeatureMap {
    const shape = this.#graph.int64s([0, x.width, height, width]);
    const value = this.#graph.node(scope.path, 'Reshape', [this.#swapLastAxes(scope, x.value), shape]);
    return { value, channels: x.width, height, width };
  }

  embedTokens(scope: WeightScope, input: string, { vocabulary, length, width }: EmbeddingOptions): Rows {
    const graph = this.#graph;
    const ids = graph.input(input, 'int32', [BATCH, length]);
    // Gathered before the cast: the table is large and a prompt needs 77 rows of it.
    const table = storedInitializer(graph, scope.take('token_embedding.weight', [vocabulary, width]));
    const gathered = graph.node(scope.path, 'Gather', [table.name, ids]);
    const tokens = this.#cast(scope.path, gathered, table.type, this.#type);
    const positions = this.#weight(scope.take('position_embedding.weight', [length, width]));
    return { value: graph.node(scope.path, 'Add', [tokens, positions]), width };
  }

  embedTimestep(scope: WeightScope, input: string, options: TimestepOptions): Rows {
    const graph = this.#graph;
    const timestep = graph.input(input, 'float32', [BATCH]);
    const column = graph.node(scope.path, 'Reshape', [timestep, graph.int64s([-1, 1])]);
    const frequencies = timestepFrequencies(options.channels, options.frequencyShift);
    const angles = graph.node(scope.path, 'Mul', [
      column,
      graph.floats(frequencies, [1, frequencies.length]),
    ]);
    const sine = graph.node(scope.path, 'Sin', [angles]);
    const cosine = graph.node(scope.path, 'Cos', [angles]);
    const waves = options.flipSinToCos ? [cosine, sine] : [sine, cosine];
    // As diffusers: an odd width ends in a zero.
    if (options.channels % 2 === 1)
      waves.push(graph.node(scope.path, 'Mul', [column, graph.floats([0], [1, 1])]));
    const features = graph.node(scope.path, 'Concat', waves, { attributes: { axis: { int: 1 } } });
    return { value: this.#cast(scope.path, features, 'float32', this.#type), width: options.channels };
  }

  linear(scope: WeightScope, x: Rows, width: number, { bias = true }: LinearOptions = {}): Rows {
    const weight = scope.take('weight', [width, x.width]);
    return this.#matMul(scope, x, weight, bias ? scope.take('bias', [width]) : undefined);
  }

  layerNorm(scope: WeightScope, x: Rows, epsilon: number): Rows {
    const scale = this.#weight(scope.take('weight', [x.width]));
    const shift = this.#weight(scope.take('bias', [x.width]));
    const value = this.#graph.node(scope.path, 'LayerNormalization', [x.value, scale, shift], {
      attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
    });
    return { value, width: x.width };
  }

  geglu(scope: WeightScope, x: Rows, width: number): Rows {
    const weight = scope.take('weight', [2 * width, x.width]);
    const bias = scope.take('bias', [2 * width]);
    const left = this.#matMul(scope, x, weight, bias, { start: 0, rows: width });
    const right = this.#matMul(scope, x, weight, bias, { start: width, rows: width });
    const gate = this.activate(scope, right, 'gelu');
    return { value: this.#graph.node(scope.path, 'Mul', [left.value, gate.value]), width };
  }

  attention(scope: WeightScope, options: AttentionOptions): Rows {
    const { query, key, value, heads, bias = true, causal = false } = options;
    const { width } = query.input;
    const inputs = [query, key, value].map(
      (each) => this.linear(each.scope, each.input, width, { bias }).value,
    );
    const output = this.#graph.node(scope.path, 'MultiHeadAttention', inputs, {
      domain: MICROSOFT,
      attributes: { num_heads: { int: heads }, unidirectional: { int: causal ? 1 : 0 } },
    });
    return { value: output, width };
  }

  activate<T extends FeatureMap | Rows>(scope: WeightScope, x: T, activation: Activation): T {
    const node = (operator: string, options?: NodeOptions) =>
      this.#graph.node(scope.path, operator, [x.value], options);
    const quickGelu = (alpha: number) =>
      node('QuickGelu', { domain: MICROSOFT, attributes: { alpha: { float: alpha } } });
    const values: Record<Activation, () => string> = {
      // QuickGelu is x * sigmoid(alpha x): SiLU in one pass.
      silu: () => quickGelu(1),
      quick_gelu: () => quickGelu(1.702),
      gelu: () => node('Gelu'),
      relu: () => node('Relu'),
      mish: () => node('Mish'),
    };
    return { ...x, value: values[activation]() };
  }

  add<T extends FeatureMap | Rows>(scope: WeightScope, a: T, b: T): T {
    return { ...a, value: this.#graph.node(scope.path, 'Add', [a.value, b.value]) };
  }

  addConstant<T extends FeatureMap | Rows>(scope: WeightScope, x: T, constant: number): T {
    return { ...x, value: this.#graph.node(scope.path, 'Add', [x.value, this.#constant([constant])]) };
  }

  multiply<T extends FeatureMap | Rows>(scope: WeightScope, x: T, factor: number): T {
    return { ...x, value: this.#graph.node(scope.path, 'Mul', [x.value, this.#constant([factor])]) };
  }

  tanh<T extends FeatureMap | Rows>(scope: WeightScope, x: T): T {
    return { ...x, value: this.#graph.node(scope.path, 'Tanh', [x.value]) };
  }

  /** x times the transpose of a torch weight [out, in], or of a range of its rows. */
  #matMul(scope: WeightScope, x: Rows, weight: StoredTensor, bias?: StoredTensor, range?: RowRange): Rows {
    const product = this.#graph.node(scope.path, 'FusedMatMul', [x.value, this.#weight(weight, range)], {
      domain: MICROSOFT,
      attributes: { transB: { int: 1 } },
    });
    const width = range?.rows ?? (weight.shape[0] as number);
    if (!bias) return { value: product, width };
    return { value: this.#graph.node(scope.path, 'Add', [product, this.#weight(bias, range)]), width };
  }

  /** [B, C] as [B, C, 1, 1], which broadcasts over pixels. */
  #overPixels(scope: WeightScope, value: string): string {
    return this.#graph.node(scope.path, 'Unsqueeze', [value, this.#graph.int64s([2, 3])]);
  }

  #swapLastAxes(scope: WeightScope, value: string): string {
    return this.#graph.node(scope.path, 'Transpose', [value], { attributes: { perm: { ints: [0, 2, 1] } } });
  }

  #weight(tensor: StoredTensor, range?: RowRange): string {
    const { name, type } = storedInitializer(this.#graph, tensor, range);
    return this.#cast(name, name, type, this.#type);
  }

  #constant(values: readonly number[]): string {
    const name = this.#graph.floats(values);
    return this.#cast(name, name, 'float32', this.#type);
  }

  #cast(scope: string, value: string, from: ElementType, to: ElementType): string {
    if (from === to) return value;
    return this.#graph.node(scope, 'Cast', [value], { attributes: { to: { int: ELEMENT_TYPE[to] } } });
  }
}
