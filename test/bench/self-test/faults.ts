import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readSafetensorsHeader,
  type StoredTensor,
} from '../../../lib/weights/checkpoint/safetensors-header.js';
import { openDirectory } from '../../support/weights/open-directory.js';

const PARTS = ['text_encoder', 'unet', 'vae_decoder', 'taesd_decoder'] as const;

/** What is done to one tensor of a network. */
export const FAULTS = [
  'weight doubled',
  'matrix transposed',
  'kernels in another layout',
  'bias dropped',
  'noise as latents',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Planted {
  readonly part: (typeof PARTS)[number];
  readonly file: string;
  readonly tensor: StoredTensor;
  readonly fault: Fault;
}

/** Up to `count` tensors for each fault in each network of a bundle, spread over it. */
export async function faultsOf(folder: string, count: number): Promise<Planted[]> {
  const planted: Planted[] = [];
  for (const part of PARTS) {
    const files = names(folder).includes(part) ? names(join(folder, part)) : [];
    const all: { file: string; tensor: StoredTensor }[] = [];
    for (const file of files.filter((name) => name.endsWith('.safetensors'))) {
      const tensors = await readSafetensorsHeader(openDirectory(join(folder, part)), file);
      // A VAE's file has the encoder, too.
      for (const tensor of tensors)
        if (!/^(encoder|quant_conv)\./.test(tensor.name)) all.push({ file, tensor });
    }
    for (const fault of FAULTS) {
      const fit = all.filter(({ tensor }) => takes(fault, part, tensor));
      const chosen = fit.filter(
        (_, at) => Math.floor((at * count) / fit.length) !== Math.floor(((at - 1) * count) / fit.length),
      );
      planted.push(...chosen.map((each) => ({ part, fault, ...each })));
    }
  }
  return planted;
}

function takes(fault: Fault, part: string, { name, shape }: StoredTensor): boolean {
  const [rows, columns] = shape;
  // The UNet then predicts that all is as it should be.
  if (fault === 'noise as latents') return part === 'unet' && name === 'conv_out.weight';
  if (fault === 'bias dropped') return name.endsWith('.bias');
  if (fault === 'weight doubled') return name.endsWith('.weight');
  if (fault === 'matrix transposed')
    return shape.length === 2 && rows === columns && name.endsWith('.weight');
  return shape.length === 4 && (shape[2] as number) > 1;
}

/** Runs `use` while the fault is in the bundle's weights. */
export async function withFault<T>(
  folder: string,
  { part, file, tensor, fault }: Planted,
  use: () => Promise<T>,
): Promise<T> {
  const path = join(folder, part, file);
  const sound = readFileSync(path);
  const bytes = Buffer.from(sound);
  const { offset, length, shape } = tensor;
  const numbers = shape.reduce((product, extent) => product * extent, 1);
  plant(fault, bytes.subarray(offset, offset + length), shape, length / numbers);
  // A new file each time: sessions have the old one mapped into memory.
  replaceFile(path, bytes);
  try {
    return await use();
  } finally {
    replaceFile(path, sound);
  }
}

function plant(fault: Fault, bytes: Buffer, shape: readonly number[], size: number): void {
  if (fault === 'bias dropped' || fault === 'noise as latents') bytes.fill(0);
  else if (fault === 'weight doubled') double(bytes, size);
  else if (fault === 'matrix transposed') permute(bytes, size, [shape[0] as number, shape[1] as number, 1]);
  else
    permute(bytes, size, [
      shape[1] as number,
      (shape[2] as number) * (shape[3] as number),
      shape[0] as number,
    ]);
}

/** Float16 and float32 are doubled by one more in the exponent. */
function double(bytes: Buffer, size: number): void {
  for (let at = 0; at < bytes.length; at += size) {
    if (size === 2 && (bytes.readUInt16LE(at) & 0x7c00) !== 0)
      bytes.writeUInt16LE(bytes.readUInt16LE(at) + 0x400, at);
    if (size === 4 && (bytes.readUInt32LE(at) & 0x7f800000) !== 0)
      bytes.writeUInt32LE(bytes.readUInt32LE(at) + 0x800000, at);
  }
}

/** Swaps rows and columns in each of `blocks` matrices that lie one after the other. */
function permute(
  bytes: Buffer,
  size: number,
  [rows, columns, blocks]: readonly [number, number, number],
): void {
  const before = Buffer.from(bytes);
  const matrix = rows * columns;
  for (let at = 0; at < blocks * matrix; at++) {
    const inside = at % matrix;
    const to = at - inside + (inside % columns) * rows + Math.floor(inside / columns);
    before.copy(bytes, to * size, at * size, (at + 1) * size);
  }
}

function replaceFile(path: string, bytes: Buffer): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

function names(folder: string): string[] {
  return readdirSync(folder);
}
