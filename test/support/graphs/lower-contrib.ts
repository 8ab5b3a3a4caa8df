import type { Attribute, Dimension, ElementType, Graph, Initializer, Node } from '../../../lib/onnx/model.js';
import { ELEMENT_TYPE } from '../../../lib/onnx/model.js';
import { LOWERINGS } from './lowerings.js';

export interface LowerOptions {
  /**
   * Whether what a node gives in float16 is rounded to it. Within a node everything is float32, which is finer than
   * kernels that add up in float16. @default false: all of the graph in float32, with the rounded weights
   */
  readonly rounds?: boolean;
  /**
   * Whether the Q K^T of self-attention is rounded to float16 before it is scaled, and so infinite above 65,504, as in the
   * fused kernels, which add it up in float16. @default false
   */
  readonly halfScores?: boolean;
}

type Attributes = Readonly<Record<string, Attribute>>;

/** Builds the nodes that stand for one. */
export class Lowering {
  readonly node: Node;
  readonly #graph: LoweredGraph;

  constructor(graph: LoweredGraph, node: Node) {
    this.#graph = graph;
    this.node = node;
  }

  /** An input of the node; undefined where it is left out. */
  input(index: number): string | undefined {
    return this.node.inputs[index] || undefined;
  }

  int(name: string, usual = 0): number {
    const attribute = this.node.attributes[name];
    return attribute && 'int' in attribute ? attribute.int : usual;
  }

  float(name: string): number | undefined {
    const attribute = this.node.attributes[name];
    return attribute && 'float' in attribute ? attribute.float : undefined;
  }

  rank(value: string): number {
    return this.#graph.rank(value);
  }

  /** Of an initializer or an input. */
  shape(value: string): readonly number[] {
    return this.#graph.shape(value);
  }

  op(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.#graph.add(this.node.name, operator, inputs, attributes);
  }

  transpose(value: string, perm: readonly number[]): string {
    return this.op('Transpose', [value], { perm: { ints: perm } });
  }

  reshape(value: string, shape: readonly number[]): string {
    return this.op('Reshape', [value, this.ints(shape)]);
  }

  ints(values: readonly number[]): string {
    return this.#graph.constant('int64', values, [values.length]);
  }

  /** An integer that is no list. */
  index(value: number): string {
    return this.#graph.constant('int64', [value], []);
  }

  scalar(value: number): string {
    return this.#graph.constant('float32', [value], []);
  }

  isFloat32(...values: readonly string[]): boolean {
    return values.every((value) => this.#graph.types.get(value) === 'float32');
  }

  /** What Q K^T is in the fused kernels. */
  roundScores(value: string): string {
    return this.#graph.options.halfScores ? this.#graph.throughHalf(value) : value;
  }

  /** The rounding of a sum within a kernel that keeps it in the type of its inputs. */
  round(value: string): string {
    return this.#graph.round(value);
  }
}

/** Collects nodes, and knows type and rank of what has been collected. */
class LoweredGraph {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly types = new Map<string, ElementType>();
  readonly #shapes = new Map<string, readonly Dimension[]>();
  readonly #ranks = new Map<string, number>();
  readonly options: LowerOptions;
  #count = 0;

  constructor(graph: Graph, options: LowerOptions) {
    this.options = options;
    for (const { name, type, shape } of [...graph.inputs, ...graph.initializers]) {
      this.types.set(name, type);
      this.#ranks.set(name, shape.length);
      this.#shapes.set(name, shape);
    }
  }

  rank(value: string): number {
    const rank = this.#ranks.get(value);
    if (rank === undefined) throw new Error(`the rank of ${value} is not known`);
    return rank;
  }

  shape(value: string): readonly number[] {
    const shape = this.#shapes.get(value);
    if (!shape) throw new Error(`${value} is neither an initializer nor an input`);
    return shape.map(Number);
  }

  setRank(node: Node): void {
    const [first = '', second = ''] = node.inputs;
    const ranks: Record<string, () => number> = {
      Reshape: () => this.shape(second)[0] as number,
      FusedMatMul: () => Math.max(this.rank(first), this.rank(second)),
      Gather: () => this.rank(first) + this.rank(second) - 1,
      MultiHeadAttention: () => 3,
    };
    const rank = (ranks[node.operator] ?? (() => this.rank(first)))();
    for (const output of node.outputs) this.#ranks.set(output, rank);
  }

  add(scope: string, operator: string, inputs: readonly string[], attributes: Attributes): string {
    const name = `lowered ${this.#count++} ${scope}/${operator}`;
    this.nodes.push({ name, operator, domain: '', inputs, outputs: [name], attributes });
    return name;
  }

  constant(type: 'int64' | 'float32', values: readonly number[], shape: readonly number[]): string {
    const name = `lowered ${this.#count++}`;
    const numbers = type === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
    this.initializers.push({ name, type, shape, data: new Uint8Array(numbers.buffer) });
    return name;
  }

  cast(scope: string, value: string, to: ElementType): string {
    return this.add(scope, 'Cast', [value], { to: { int: ELEMENT_TYPE[to] } });
  }

  widen(initializer: string): string {
    const name = this.cast(initializer, initializer, 'float32');
    this.#shapes.set(name, this.shape(initializer));
    this.#ranks.set(name, this.rank(initializer));
    return name;
  }

  round(value: string): string {
    return this.options.rounds ? this.throughHalf(value) : value;
  }

  throughHalf(value: string): string {
    return this.cast(value, this.cast(value, value, 'float16'), 'float32');
  }

  rename(value: string, name: string): void {
    this.nodes.push({
      name,
      operator: 'Identity',
      domain: '',
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
  }
}

/** The type of what a node gives, as far as these graphs go. */
function outputType(node: Node, types: ReadonlyMap<string, ElementType>): ElementType {
  const to = node.attributes['to'];
  if (node.operator === 'Cast' && to && 'int' in to)
    return Object.entries(ELEMENT_TYPE).find(([, number]) => number === to.int)?.[0] as ElementType;
  return types.get(node.inputs[0] as string) as ElementType;
}

/**
 * The same graph in ONNX's own operators and float32, so that it runs where there is no GPU. Weights stay where they
 * are; what is float16 in the graph is float32 here.
 */
export function lowerContrib(graph: Graph, options: LowerOptions = {}): Graph {
  const lowered = new LoweredGraph(graph, options);
  const wide = new Map<string, string>();
  for (const { name, type } of graph.initializers)
    if (type === 'float16') wide.set(name, lowered.widen(name));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => wide.get(input) ?? input);
    lowered.setRank(node);
    const type = outputType(node, lowered.types);
    const outputs = lowerNode(lowered, node, inputs);
    for (const [index, name] of node.outputs.entries()) {
      if (name === '') continue;
      lowered.types.set(name, type);
      const value = outputs[index];
      if (value === undefined) throw new Error(`${node.operator} has no output ${index}`);
      lowered.rename(type === 'float16' ? lowered.round(value) : value, name);
    }
  }
  const initializers = [...graph.initializers, ...lowered.initializers];
  return { ...graph, nodes: lowered.nodes, initializers };
}

/** @returns names of the node's outputs, undefined where they are left out */
function lowerNode(lowered: LoweredGraph, node: Node, inputs: readonly string[]): (string | undefined)[] {
  if (node.domain === 'com.microsoft') {
    const lowering = LOWERINGS[node.operator];
    if (!lowering) throw new Error(`there is no lowering of ${node.operator}`);
    return lowering(new Lowering(lowered, { ...node, inputs }));
  }
  const narrows = node.operator === 'Cast' && outputType(node, lowered.types) === 'float16';
  if (narrows) return [inputs[0] as string];
  const outputs = node.outputs.map((_, index) => `exact ${node.name} ${index}`);
  lowered.nodes.push({ ...node, inputs, outputs, name: `exact ${node.name}` });
  return outputs;
}
