import { writeFile } from 'node:fs/promises';

export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** A .safetensors file with any text as its header, right or wrong; the data are zeros. */
export function encodeSafetensors(header: string, dataBytes: number): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

/** Writes float32 tensors one after the other. */
export async function writeSafetensors(
  path: string,
  shapes: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]): [string, HeaderEntry] => {
    const begin = end;
    end += shape.reduce((product, extent) => product * extent, 4);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  await writeFile(path, encodeSafetensors(JSON.stringify(Object.fromEntries(entries)), end));
}
