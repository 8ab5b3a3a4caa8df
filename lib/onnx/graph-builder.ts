import { encodeHalves } from '../runtime/half.js';
import type { Attribute, ElementType, ExternalData, Graph, Initializer, Node, ValueInfo } from './model.js';

export interface NodeOptions {
  /** @default {} */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** @default '' (ONNX's own operators) */
  readonly domain?: string;
  /** How many outputs the node has. @default 1 */
  readonly outputs?: number;
}

/** Collects nodes and initializers into a graph; every value has one name, derived from the node that makes it. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #nameUses = new Map<string, number>();
  /** Names of constants that are too long for one of their own, by their bytes. */
  readonly #tables = new Map<string, string>();

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementType, shape: ValueInfo['shape']): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Gives a value its public name as an output of the graph. */
  output(name: string, type: ElementType, shape: ValueInfo['shape'], value: string): void {
    this.#nodes.push({
      name,
      operator: 'Identity',
      domain: '',
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    this.#outputs.push({ name, type, shape });
  }

  /** Adds the node that makes an output of the graph, under the output's name. */
  outputNode(
    output: ValueInfo,
    operator: string,
    inputs: readonly string[],
    options: NodeOptions = {},
  ): void {
    const { attributes = {}, domain = '' } = options;
    const { name } = output;
    this.#nodes.push({ name, operator, domain, inputs, outputs: [name], attributes });
    this.#outputs.push(output);
  }

  /** Adds a node under a scope such as `mid_block.resnets.0.conv1` and returns its first output's name. */
  node(scope: string, operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const [first] = this.nodeOutputs(scope, operator, inputs, { ...options, outputs: 1 });
    return first as string;
  }

  nodeOutputs(
    scope: string,
    operator: string,
    inputs: readonly string[],
    options: NodeOptions = {},
  ): string[] {
    const { attributes = {}, domain = '', outputs: count = 1 } = options;
    const name = this.#uniqueName(`${scope}/${operator}`);
    const outputs = Array.from({ length: count }, (_, index) => (index === 0 ? name : `${name}:${index}`));
    this.#nodes.push({ name, operator, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** A tensor whose bytes stay in another file; the same name is added once. */
  external(name: string, type: ElementType, shape: readonly number[], data: ExternalData): string {
    if (!this.#initializers.has(name)) this.#initializers.set(name, { name, type, shape, data });
    return name;
  }

  halves(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new Uint8Array(encodeHalves(Float32Array.from(values)).buffer);
    return this.#constant('float16', values, shape, data);
  }

  floats(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new Uint8Array(Float32Array.from(values).buffer);
    return this.#constant('float32', values, shape, data);
  }

  int64s(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant('int64', values, shape, data);
  }

  /** Outputs at the end of a node's list that nobody reads are left out. */
  build(): Graph {
    const read = new Set([
      ...this.#nodes.flatMap(({ inputs }) => inputs),
      ...this.#outputs.map(({ name }) => name),
    ]);
    const nodes = this.#nodes.map((node) => {
      const last = node.outputs.findLastIndex((output) => read.has(output));
      const outputs = node.outputs.slice(0, Math.max(1, last + 1));
      return { ...node, outputs: outputs.map((output, at) => (at > 0 && !read.has(output) ? '' : output)) };
    });
    return {
      name: this.#name,
      nodes,
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  /** Equal constants share one initializer. */
  #constant(
    type: ElementType,
    values: readonly number[],
    shape: readonly number[],
    data: Uint8Array,
  ): string {
    const label = values.length <= 8 ? values.join(',') : this.#tableName(data);
    const name = `constant/${type}[${shape.join(',')}](${label})`;
    if (!this.#initializers.has(name)) this.#initializers.set(name, { name, type, shape, data });
    return name;
  }

  #tableName(data: Uint8Array): string {
    const content = Buffer.from(data).toString('base64');
    const name = this.#tables.get(content) ?? this.#uniqueName('table');
    this.#tables.set(content, name);
    return name;
  }

  #uniqueName(name: string): string {
    const uses = this.#nameUses.get(name) ?? 0;
    this.#nameUses.set(name, uses + 1);
    return uses === 0 ? name : `${name}#${uses}`;
  }
}
