import { basename } from 'node:path/posix';
import { AppError } from '../errors/app-error.js';
import type { CheckpointReader } from './checkpoint-reader.js';
import { isJsonObject, parseJsonObject } from './parse-json-object.js';
import { quoteName } from './quote-name.js';

/** Bytes per element of the types whose elements are whole bytes. */
const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type StoredDtype = keyof typeof DTYPE_BYTES;

/** A tensor's place in a .safetensors file. */
export interface StoredTensor {
  readonly name: string;
  /** File name, relative to the part's folder. */
  readonly file: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** Of the header's length, which stands before it as a little-endian number. */
const LENGTH_BYTES = 8;

/** The limit of the reference implementation (`MAX_HEADER_SIZE` in safetensors/src/tensor.rs). */
const MAX_HEADER_BYTES = 100_000_000;

/** That of NumPy 1; weights have five at most. */
const MAX_RANK = 32;

const METADATA = '__metadata__';
const OPEN_BRACE = 0x7b;

/**
 * The tensors of a .safetensors file in the order in which they lie there. Reads the header only.
 *
 * @param path of the file in the checkpoint
 * @throws AppError INVALID_FILE, which names the file and the tensor, wherever the file departs from
 * https://github.com/huggingface/safetensors#format
 */
export async function readSafetensorsHeader(reader: CheckpointReader, path: string): Promise<StoredTensor[]> {
  const shown = reader.nameOf(path);
  const refuse = (problem: string): never => {
    throw new AppError('INVALID_FILE', `${shown}${problem}`);
  };
  const size = await reader.size(path);
  if (size === undefined) throw new AppError('INVALID_FILE', `cannot read ${shown}: ENOENT: no such file`);
  if (size < LENGTH_BYTES) refuse(' is too short for a header');
  const length = await reader.readRange(path, { start: 0, end: LENGTH_BYTES });
  const headerBytes = Buffer.from(length).readBigUInt64LE();
  if (headerBytes > MAX_HEADER_BYTES) refuse(`: header is longer than ${MAX_HEADER_BYTES} bytes`);
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  if (dataStart > size) refuse(' ends inside its header');

  const header = await reader.readRange(path, { start: LENGTH_BYTES, end: dataStart });
  if (header[0] !== OPEN_BRACE) refuse(': header does not begin with {');
  const entries = parseJsonObject(header, `${shown}: header`);
  checkMetadata(entries[METADATA], shown);
  const file = basename(path);
  const tensors = Object.entries(entries)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => parseEntry(entry, { path: shown, file, name, dataStart }))
    .sort((a, b) => a.offset - b.offset || a.length - b.length);
  checkCover(tensors, dataStart, size, shown);
  return tensors;
}

function checkMetadata(metadata: unknown, path: string): void {
  if (metadata === undefined) return;
  if (!isJsonObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string'))
    throw new AppError('INVALID_FILE', `${path}: ${METADATA} must be an object of strings`);
}

interface EntryPlace {
  readonly path: string;
  readonly file: string;
  readonly name: string;
  /** Bytes from the start of the file. */
  readonly dataStart: number;
}

function parseEntry(entry: unknown, { path, file, name, dataStart }: EntryPlace): StoredTensor {
  const refuse = (problem: string): never => {
    throw new AppError('INVALID_FILE', `${path}: tensor ${quoteName(name)}: ${problem}`);
  };
  if (!isJsonObject(entry)) return refuse('must be an object');
  const { dtype, shape, data_offsets: offsets, ...others } = entry;
  const [other] = Object.keys(others);
  if (other !== undefined) return refuse(`has an unknown field ${quoteName(other)}`);
  if (!isDtype(dtype)) return refuse('dtype is missing or not known');
  if (!isCounts(shape)) return refuse('shape must be a list of non-negative integers');
  if (shape.length > MAX_RANK) return refuse(`has more than ${MAX_RANK} dimensions`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse('data_offsets must be two non-negative integers');
  const [begin, end] = offsets as [number, number];
  if (begin > end) return refuse(`data_offsets end at ${end}, before they begin at ${begin}`);

  let length: number = DTYPE_BYTES[dtype];
  for (const extent of shape) {
    length *= extent;
    if (!Number.isSafeInteger(length)) return refuse('shape is too large');
  }
  if (length !== end - begin)
    return refuse(
      `data_offsets span ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] takes ${length}`,
    );
  return { name, file, dtype, shape, offset: dataStart + begin, length };
}

function isDtype(value: unknown): value is StoredDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value);
}

function isCounts(value: unknown): value is number[] {
  // -0 is no count: it would come out of here as it went in.
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n > 0 || Object.is(n, 0)));
}

/** @param tensors sorted by offset */
function checkCover(tensors: readonly StoredTensor[], dataStart: number, size: number, path: string): void {
  let end = dataStart;
  for (const { name, offset, length } of tensors) {
    if (offset !== end) {
      const problem = offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new AppError('INVALID_FILE', `${path}: tensor ${quoteName(name)}: ${problem}`);
    }
    end = offset + length;
  }
  if (end !== size)
    throw new AppError('INVALID_FILE', `${path} has ${size} bytes, but its tensors end at byte ${end}`);
}
