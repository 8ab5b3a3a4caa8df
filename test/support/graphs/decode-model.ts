import {
  type Attribute,
  ELEMENT_TYPE,
  type ElementType,
  type Graph,
  type Initializer,
  type Node,
  type ValueInfo,
} from '../../../lib/onnx/model.js';

/** A field of a protobuf message: a number, or the bytes of a string or of a message within. */
type Field = bigint | number | Uint8Array;

/** Fields by their number, in the order in which they come. */
class Message {
  readonly #fields = new Map<number, Field[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++] as number;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asIntN(64, value);
      }
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const list = this.#fields.get(tag >> 3) ?? [];
      this.#fields.set(tag >> 3, list);
      if ((tag & 7) === 0) list.push(varint());
      else if ((tag & 7) === 5) {
        list.push(view.getFloat32(at, true));
        at += 4;
      } else {
        const length = Number(varint());
        list.push(bytes.subarray(at, at + length));
        at += length;
      }
    }
  }

  all(field: number): readonly Field[] {
    return this.#fields.get(field) ?? [];
  }
  messages(field: number): Message[] {
    return this.all(field).map((bytes) => new Message(bytes as Uint8Array));
  }
  strings(field: number): string[] {
    return this.all(field).map((bytes) => new TextDecoder().decode(bytes as Uint8Array));
  }
  string(field: number): string {
    return this.strings(field)[0] ?? '';
  }
  numbers(field: number): number[] {
    return this.all(field).map(Number);
  }
  number(field: number): number {
    return this.numbers(field)[0] ?? 0;
  }
}

/**
 * Reads back what `encodeModel` wrote: for graphs of our own, not for untrusted ones.
 * Field numbers: https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto
 */
export function decodeModel(model: Uint8Array): Graph {
  const [graph] = new Message(model).messages(7) as [Message];
  return {
    name: graph.string(2),
    nodes: graph.messages(1).map(decodeNode),
    initializers: graph.messages(5).map(decodeInitializer),
    inputs: graph.messages(11).map(decodeValueInfo),
    outputs: graph.messages(12).map(decodeValueInfo),
  };
}

function decodeNode(node: Message): Node {
  const attributes = node.messages(5).map((each) => [each.string(1), decodeAttribute(each)] as const);
  return {
    name: node.string(3),
    operator: node.string(4),
    domain: node.string(7),
    inputs: node.strings(1),
    outputs: node.strings(2),
    attributes: Object.fromEntries(attributes),
  };
}

function decodeAttribute(attribute: Message): Attribute {
  switch (attribute.number(20)) {
    case 1:
      return { float: attribute.number(2) };
    case 2:
      return { int: attribute.number(3) };
    case 3:
      return { string: attribute.string(4) };
    default:
      return { ints: attribute.numbers(8) };
  }
}

function decodeInitializer(tensor: Message): Initializer {
  const places = Object.fromEntries(tensor.messages(13).map((entry) => [entry.string(1), entry.string(2)]));
  const { location } = places;
  return {
    name: tensor.string(8),
    type: elementType(tensor.number(2)),
    shape: tensor.numbers(1),
    data:
      location === undefined
        ? (tensor.all(9)[0] as Uint8Array)
        : { location, offset: Number(places['offset']), length: Number(places['length']) },
  };
}

function decodeValueInfo(value: Message): ValueInfo {
  const [tensor] = (value.messages(2)[0] as Message).messages(1) as [Message];
  const dimensions = (tensor.messages(2)[0] as Message).messages(1);
  return {
    name: value.string(1),
    type: elementType(tensor.number(1)),
    shape: dimensions.map((each) => (each.all(2).length > 0 ? each.string(2) : each.number(1))),
  };
}

function elementType(number: number): ElementType {
  const [name] = Object.entries(ELEMENT_TYPE).find(([, value]) => value === number) as [ElementType, number];
  return name;
}
