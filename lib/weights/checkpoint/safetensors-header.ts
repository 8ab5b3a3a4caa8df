import { basename } from 'node:path/posix';
import { AppError } from '../../errors/app-error.js';
import { showValue } from '../../errors/show-value.js';
import { FOREIGN_PREFIX_BYTES, foreignWeights } from '../bytes/foreign-content.js';
import { isJsonObject, parseJsonObject } from '../bytes/parse-json.js';
import { quoteName } from '../bytes/quote-name.js';
import type { CheckpointReader } from './checkpoint-reader.js';

/** Bits per element. */
const DTYPE_BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type StoredDtype = keyof typeof DTYPE_BITS;

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
const WHITE_SPACE: readonly number[] = [0x09, 0x0a, 0x0d, 0x20];

/**
 * The tensors of a .safetensors file in the order in which they lie there. Reads the header only.
 *
 * What the reference (safetensors 0.8) reads is read, with the same meaning, but for what only a broken or hostile
 * writer makes: a name twice in one object (it takes the last), an entry that is a list, more than 32 dimensions,
 * and numbers that a double cannot hold.
 *
 * @param path of the file in the checkpoint
 * @throws AppError INVALID_FILE, which names the file and the tensor, or says what is there instead of weights
 */
export async function readSafetensorsHeader(reader: CheckpointReader, path: string): Promise<StoredTensor[]> {
  const shown = reader.nameOf(path);
  const size = await reader.size(path);
  if (size === undefined) throw new AppError('INVALID_FILE', `cannot read ${shown}: ENOENT: no such file`);
  const prefix = await reader.readRange(path, { start: 0, end: Math.min(size, FOREIGN_PREFIX_BYTES) });
  const refuse = (problem: string): never => {
    const foreign = foreignWeights(prefix);
    throw new AppError('INVALID_FILE', `${shown}${foreign ? ` is ${foreign}` : problem}`);
  };
  if (size === 0) refuse(' is empty');
  if (size < LENGTH_BYTES) refuse(' is too short for a header');
  const headerBytes = Buffer.from(prefix).readBigUInt64LE();
  if (headerBytes > MAX_HEADER_BYTES) refuse(`: header is longer than ${MAX_HEADER_BYTES} bytes`);
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  if (dataStart > size) refuse(' ends inside its header');

  const header = await reader.readRange(path, { start: LENGTH_BYTES, end: dataStart });
  // Which would be skipped below, and which the reference refuses: a byte order mark.
  if (header.find((byte) => !WHITE_SPACE.includes(byte)) !== OPEN_BRACE)
    refuse(': header does not begin with {');
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
  if (metadata === undefined || metadata === null) return;
  if (!isJsonObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string'))
    throw new AppError('INVALID_FILE', `${path}: ${METADATA} must be an object of strings, or null`);
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
  // A lone half of a surrogate pair is in no UTF-8 text.
  if (/\p{Surrogate}/u.test(name)) return refuse('the name is not Unicode');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BITS).join(', ');
    return refuse(`dtype is ${showValue(dtype)}, not one of ${known}`);
  }
  if (!isCounts(shape)) return refuse('shape must be a list of non-negative integers');
  if (shape.length > MAX_RANK) return refuse(`has more than ${MAX_RANK} dimensions`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse('data_offsets must be two non-negative integers');
  const [begin, end] = offsets as [number, number];
  if (begin > end) return refuse(`data_offsets end at ${end}, before they begin at ${begin}`);

  let bits: number = DTYPE_BITS[dtype];
  for (const extent of shape) {
    bits *= extent;
    if (!Number.isSafeInteger(bits)) return refuse('shape is too large');
  }
  const length = bits / 8;
  if (!Number.isInteger(length)) return refuse(`${dtype} [${shape.join(', ')}] does not fill whole bytes`);
  if (length !== end - begin)
    return refuse(
      `data_offsets span ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] takes ${length}`,
    );
  return { name, file, dtype, shape, offset: dataStart + begin, length };
}

function isDtype(value: unknown): value is StoredDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BITS, value);
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
