import type { GraphBuilder, NodeOptions } from '../../../onnx/graph-builder.js';
import { type Attribute, ELEMENT_TYPE, type ElementType } from '../../../onnx/model.js';
import type { StoredTensor } from '../../../weights/checkpoint/safetensors-header.js';
import type { WeightPlan } from '../../rewrite/weight-plan.js';
import type { WeightRecipe } from '../../rewrite/weight-recipe.js';

export type Attributes = Readonly<Record<string, Attribute>>;

/** Multiplied by the transpose of its second input: what torch's [out, in] weights ask for. */
const TRANSPOSED: Attributes = { transB: { int: 1 } };

/** What the dialect's words have in common: nodes in two domains, and weights that come from the rewritten file. */
export class CudaGraph {
  readonly builder: GraphBuilder;
  readonly #plan: WeightPlan;
  readonly #rewritten = new Set<string>();
  #planes: string | undefined;
  #zeros: string | undefined;

  constructor(builder: GraphBuilder, plan: WeightPlan) {
    this.builder = builder;
    this.#plan = plan;
  }

  node(scope: string, operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.builder.node(scope, operator, inputs, { attributes });
  }

  /** An operator of ONNX Runtime's own; its first output. */
  contrib(scope: string, operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.contribOutputs(scope, operator, inputs, { attributes })[0] as string;
  }

  contribOutputs(
    scope: string,
    operator: string,
    inputs: readonly string[],
    options: NodeOptions = {},
  ): string[] {
    return this.builder.nodeOutputs(scope, operator, inputs, { ...options, domain: 'com.microsoft' });
  }

  matMul(scope: string, x: string, weight: string, attributes: Attributes = TRANSPOSED): string {
    return this.contrib(scope, 'FusedMatMul', [x, weight], attributes);
  }

  cast(scope: string, value: string, to: ElementType): string {
    return this.node(scope, 'Cast', [value], { to: { int: ELEMENT_TYPE[to] } });
  }

  /** Nothing is moved: the provider gives the same memory another shape. 0 keeps a dimension. */
  reshape(scope: string, value: string, shape: readonly number[]): string {
    return this.node(scope, 'Reshape', [value, this.builder.int64s(shape)]);
  }

  /** @param planes an input of the graph: [B, channels, pixels] in float16 */
  setPlanes(planes: string): void {
    this.#planes ??= planes;
  }

  /** [C] as [B, C]: one row for each picture that the graph is given. */
  forEachPicture(scope: string, value: string): string {
    this.#zeros ??= this.#makeZeros();
    return this.node(scope, 'Add', [this.#zeros, value]);
  }

  /** [B, 1]: a shape would be computed on the CPU, and wait for it. */
  #makeZeros(): string {
    const scope = 'pictures';
    if (this.#planes === undefined) throw new Error('the graph has no map among its inputs');
    const rows = this.reshape(scope, this.#planes, [0, -1]);
    const first = this.node(scope, 'Gather', [rows, this.builder.int64s([0])], { axis: { int: 1 } });
    return this.node(scope, 'Mul', [first, this.builder.halves([0])]);
  }

  /** A weight that is not added to or packed. */
  weight(
    tensor: StoredTensor,
    options: Partial<Pick<WeightRecipe, 'type' | 'shape' | 'channelsLast' | 'factor'>> = {},
  ): string {
    const { name, shape } = tensor;
    return this.rewritten({ name, type: 'float16', shape, sources: [tensor], ...options });
  }

  /** [M, C, kH, kW] as [M, kH, kW, C]. */
  convolution(tensor: StoredTensor, factor: number): string {
    const [filters, channels, height, width] = tensor.shape as [number, number, number, number];
    const shape = [filters, height, width, channels];
    return this.weight(tensor, { shape, channelsLast: height * width > 1, factor });
  }

  /** Biases that are added to the same numbers, as one. */
  biases(tensors: readonly StoredTensor[], factor: number): string {
    const [first, ...addends] = tensors as [StoredTensor, ...StoredTensor[]];
    if (addends.length === 0) return this.weight(first, { factor });
    const name = tensors.map((tensor) => tensor.name).join('+');
    return this.rewritten({ name, type: 'float16', shape: first.shape, sources: [first], addends, factor });
  }

  /** Once for each name. */
  rewritten(recipe: WeightRecipe): string {
    const { name, type, shape } = recipe;
    if (this.#rewritten.has(name)) return name;
    this.#rewritten.add(name);
    return this.builder.external(name, type, shape, this.#plan.add(recipe));
  }
}
