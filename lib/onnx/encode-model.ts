import {
  type Attribute,
  ELEMENT_TYPE,
  type ExternalData,
  type Graph,
  type Initializer,
  type Node,
  type ValueInfo,
} from './model.js';
import { ProtobufWriter } from './protobuf-writer.js';

/** IR version 9 is the first that knows operator set 20; ONNX Runtime reads it since 1.17. */
const IR_VERSION = 9;
export const OPERATOR_SET = 20;
const EXTERNAL = 1;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/**
 * Encodes a graph as an ONNX model file.
 * Field numbers: https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto
 */
export function encodeModel(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const model = new ProtobufWriter()
    .int(1, IR_VERSION)
    .string(2, 'sd-turbo-serverless')
    .message(7, encodeGraph(graph));
  model.message(8, new ProtobufWriter().string(1, '').int(2, OPERATOR_SET));
  if (graph.nodes.some((node) => node.domain === 'com.microsoft')) {
    model.message(8, new ProtobufWriter().string(1, 'com.microsoft').int(2, 1));
  }
  for (const [key, value] of Object.entries(metadata)) model.message(14, encodeEntry(key, value));
  return model.finish();
}

function encodeGraph(graph: Graph): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const node of graph.nodes) writer.message(1, encodeNode(node));
  writer.string(2, graph.name);
  for (const initializer of graph.initializers) writer.message(5, encodeInitializer(initializer));
  for (const input of graph.inputs) writer.message(11, encodeValueInfo(input));
  for (const output of graph.outputs) writer.message(12, encodeValueInfo(output));
  return writer;
}

function encodeNode(node: Node): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.name).string(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes))
    writer.message(5, encodeAttribute(name, value));
  return writer.string(7, node.domain);
}

function encodeAttribute(name: string, value: Attribute): ProtobufWriter {
  const writer = new ProtobufWriter().string(1, name);
  if ('float' in value) return writer.float(2, value.float).int(20, ATTRIBUTE_TYPE.float);
  if ('int' in value) return writer.int(3, value.int).int(20, ATTRIBUTE_TYPE.int);
  if ('string' in value) return writer.string(4, value.string).int(20, ATTRIBUTE_TYPE.string);
  for (const int of value.ints) writer.int(8, int);
  return writer.int(20, ATTRIBUTE_TYPE.ints);
}

function encodeInitializer(initializer: Initializer): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const dimension of initializer.shape) writer.int(1, dimension);
  writer.int(2, ELEMENT_TYPE[initializer.type]).string(8, initializer.name);
  return initializer.data instanceof Uint8Array
    ? writer.bytes(9, initializer.data)
    : encodeExternalData(writer, initializer.data);
}

function encodeExternalData(writer: ProtobufWriter, data: ExternalData): ProtobufWriter {
  for (const [key, value] of Object.entries(data)) writer.message(13, encodeEntry(key, String(value)));
  return writer.int(14, EXTERNAL);
}

function encodeEntry(key: string, value: string): ProtobufWriter {
  return new ProtobufWriter().string(1, key).string(2, value);
}

function encodeValueInfo(value: ValueInfo): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dimension of value.shape) {
    const dim = new ProtobufWriter();
    shape.message(1, typeof dimension === 'number' ? dim.int(1, dimension) : dim.string(2, dimension));
  }
  const tensor = new ProtobufWriter().int(1, ELEMENT_TYPE[value.type]).message(2, shape);
  return new ProtobufWriter().string(1, value.name).message(2, new ProtobufWriter().message(1, tensor));
}
