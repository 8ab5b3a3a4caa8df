import type { WeightScope } from '../weight-scope.js';

/** A picture-shaped value of `channels` x `height` x `width` per batch entry; its memory layout is the dialect's own. */
export interface FeatureMap {
  readonly value: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Vectors of `width` numbers: shape [B, S, width] for tokens, [B, width] for one embedding. */
export interface Rows {
  readonly value: string;
  readonly width: number;
}

/** As diffusers names them: `swish` is `silu`; `gelu` is the exact one, by erf. */
export type Activation = 'silu' | 'gelu' | 'quick_gelu' | 'relu' | 'mish';

export interface ConvolutionOptions {
  readonly channels: number;
  readonly kernel: number;
  /** @default 1 */
  readonly stride?: number;
  /** Zeros added at top, left, bottom, right. @default (kernel - 1) / 2 each, as in `nn.Conv2d` of this family */
  readonly padding?: readonly [number, number, number, number];
  /** @default true */
  readonly bias?: boolean;
}

/** From a map to one of `height` x `width` and `channels`. */
export interface UpsampledConvolutionOptions {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** @default true */
  readonly bias?: boolean;
}

export interface GroupNormOptions {
  readonly groups: number;
  readonly epsilon: number;
  /** Applied to the normalised values. @default none */
  readonly activation?: Activation;
  /** Sums to float32's last digits, where the dialect's kernel has fewer. @default false */
  readonly precise?: boolean;
}

export interface LinearOptions {
  /** @default true */
  readonly bias?: boolean;
  /** In float32, whatever the dialect computes in. @default false */
  readonly precise?: boolean;
}

/** A linear layer in front of an attention, as wide as the query's input. */
export interface Projection {
  readonly scope: WeightScope;
  readonly input: Rows;
}

export interface AttentionOptions {
  readonly query: Projection;
  readonly key: Projection;
  readonly value: Projection;
  /** A divisor of the width. */
  readonly heads: number;
  /** Of the three projections. @default true */
  readonly bias?: boolean;
  /** A token sees itself and the ones before it. @default false */
  readonly causal?: boolean;
  /** What follows the projections in float32, whatever the dialect computes in. @default false */
  readonly precise?: boolean;
}

/**
 * The vocabulary in which networks are described. A dialect turns each word into graph nodes, in the
 * layout and precision of its choice. `scope` names the layer and owns its weights.
 */
export interface Operators {
  /** A [B, channels, height, width] float32 graph input. */
  inputMap(name: string, channels: number, height: number, width: number): FeatureMap;
  /** A [B, length, width] float32 graph input. */
  inputRows(name: string, length: number, width: number): Rows;
  outputMap(name: string, x: FeatureMap): void;
  outputRows(name: string, length: number, x: Rows): void;
  /**
   * Maps [-1, 1] to finished pixels: a [B, height, width, channels] uint8 graph output, and a float32 [B] one beside it,
   * `${name}_mean`, of what they are before they become bytes: no number where one of them is none.
   */
  outputPixels(name: string, x: FeatureMap): void;

  conv2d(scope: WeightScope, x: FeatureMap, options: ConvolutionOptions): FeatureMap;
  groupNorm(scope: WeightScope, x: FeatureMap, options: GroupNormOptions): FeatureMap;
  /** Nearest neighbour to the given size, then a convolution of 3x3. */
  upsampledConv2d(scope: WeightScope, x: FeatureMap, options: UpsampledConvolutionOptions): FeatureMap;
  concatChannels(scope: WeightScope, a: FeatureMap, b: FeatureMap): FeatureMap;
  /** Adds one number per channel. `x` of shape [B, channels, height, width], `shift` of shape [B, channels]. */
  shiftChannels(scope: WeightScope, x: FeatureMap, shift: Rows): FeatureMap;
  /** x (1 + scale) + shift, with `scaleShift` of shape [B, 2 channels]: the scales, then the shifts. */
  scaleShiftChannels(scope: WeightScope, x: FeatureMap, scaleShift: Rows): FeatureMap;
  /** Pixels become tokens, row by row: [B, height width, channels]. */
  toRows(scope: WeightScope, x: FeatureMap): Rows;
  toMap(scope: WeightScope, x: Rows, height: number, width: number): FeatureMap;

  /** Token and position embeddings of an int32 [B, length] graph input. */
  embedTokens(scope: WeightScope, input: string, options: EmbeddingOptions): Rows;
  /** Sinusoidal features of a float32 [B] graph input, shape [B, channels]. */
  embedTimestep(scope: WeightScope, input: string, options: TimestepOptions): Rows;
  linear(scope: WeightScope, x: Rows, width: number, options?: LinearOptions): Rows;
  layerNorm(scope: WeightScope, x: Rows, epsilon: number): Rows;
  /** The gated feed-forward input of `GEGLU`: left * gelu(right), both [.., width]. */
  geglu(scope: WeightScope, x: Rows, width: number): Rows;
  /** Multi-head attention with the projections in front of it; the one behind it is a `linear`. */
  attention(scope: WeightScope, options: AttentionOptions): Rows;

  activate<T extends FeatureMap | Rows>(scope: WeightScope, x: T, activation: Activation): T;
  add<T extends FeatureMap | Rows>(scope: WeightScope, a: T, b: T): T;
  multiply<T extends FeatureMap | Rows>(scope: WeightScope, x: T, factor: number): T;
  addConstant<T extends FeatureMap | Rows>(scope: WeightScope, x: T, constant: number): T;
  tanh<T extends FeatureMap | Rows>(scope: WeightScope, x: T): T;
}

export interface EmbeddingOptions {
  readonly vocabulary: number;
  readonly length: number;
  readonly width: number;
}

/** As `Timesteps` of diffusers takes them. */
export interface TimestepOptions {
  readonly channels: number;
  /** Cosines first. */
  readonly flipSinToCos: boolean;
  readonly frequencyShift: number;
}
