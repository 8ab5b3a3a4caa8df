import { join } from 'node:path/posix';
import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../../weights/bytes/byte-range.js';
import { quoteName } from '../../weights/bytes/quote-name.js';
import { readBounded } from '../../weights/bytes/read-bounded.js';
import type { CheckpointReader } from '../../weights/checkpoint/checkpoint-reader.js';
import type { StoredTensor } from '../../weights/checkpoint/safetensors-header.js';
import type { CheckpointSource } from '../../weights/sources/checkpoint-source.js';
import { convertNumbers, decodeFloats, putChannelsLast } from './convert-numbers.js';
import { summedShape, tapsOf } from './upsampled-kernels.js';
import type { PlacedTensor, WeightPlan } from './weight-plan.js';
import { NUMBER_BYTES, rowCount, rowLength, segments } from './weight-recipe.js';

/** Of a result in memory at once, for each reader: 4 MiB, or one row where that is larger. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** The largest float16. */
const MAX_HALF = 65504;

export interface RewrittenWeightsProps {
  readonly plan: WeightPlan;
  readonly reader: CheckpointReader;
  /** Of the stored weights in the reader's source. */
  readonly folder: string;
}

/**
 * A weights file that is on no disk: what is read of it is made, in that moment, of what the same place of it needs of
 * the stored weights. So it can be copied chunk by chunk, several at once, with a few MiB of memory for each.
 *
 * Reading fails with AppError UNSUPPORTED or INVALID_FILE, which names the tensor, where a number is too large for
 * float16 or is none.
 */
export class RewrittenWeights implements CheckpointSource {
  readonly description: string;
  readonly name: string;
  readonly revision = null;
  readonly #props: RewrittenWeightsProps;

  constructor(props: RewrittenWeightsProps) {
    this.#props = props;
    this.name = props.plan.file;
    this.description = `${props.reader.nameOf(props.folder)}, rewritten`;
  }

  async list(): Promise<ReadonlySet<string>> {
    return new Set([this.name]);
  }

  async size(path: string): Promise<number | undefined> {
    return path === this.name ? this.#props.plan.size : undefined;
  }

  async open(path: string, range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    this.#assertThere(path);
    return this.#make(range, signal);
  }

  async readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    this.#assertThere(path);
    const whole = { start: 0, end: this.#props.plan.size };
    return readBounded(this.#make(whole, signal), maxBytes, this.description);
  }

  async *#make({ start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = start;
    for (const tensor of this.#props.plan.tensors) {
      if (tensor.offset + tensor.length <= at) continue;
      if (at < tensor.offset) {
        yield new Uint8Array(Math.min(tensor.offset, end) - at);
        at = tensor.offset;
      }
      if (at >= end) return;
      const within = { start: at - tensor.offset, end: Math.min(end - tensor.offset, tensor.length) };
      for await (const piece of this.#makePart(tensor, within)) {
        signal.throwIfAborted();
        yield piece;
      }
      at = tensor.offset + within.end;
    }
  }

  /** @param range within the tensor, in bytes */
  async *#makePart(tensor: PlacedTensor, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
    const rowBytes = rowLength(tensor) * NUMBER_BYTES[tensor.type];
    const rowsAtOnce = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
    const last = Math.ceil(end / rowBytes);
    for (let row = Math.floor(start / rowBytes); row < last; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, last - row);
      const bytes = await this.#makeRows(tensor, row, row + rows);
      yield bytes.subarray(Math.max(0, start - row * rowBytes), Math.min(bytes.length, end - row * rowBytes));
    }
  }

  async #makeRows(tensor: PlacedTensor, start: number, end: number): Promise<Uint8Array> {
    const rowBytes = rowLength(tensor) * NUMBER_BYTES[tensor.type];
    const parts = segments(tensor, start, end);
    const [only] = parts;
    if (parts.length === 1 && only)
      return this.#convert(tensor, only.source, only.from, only.from + only.rows);
    const result = new Uint8Array((end - start) * rowBytes);
    for (const source of tensor.sources.keys()) {
      // Blocks of one source that are apart in the result lie together where they come from.
      const its = parts.filter((part) => part.source === source);
      const [first, last] = [its[0], its.at(-1)];
      if (!first || !last) continue;
      const bytes = await this.#convert(tensor, source, first.from, last.from + last.rows);
      for (const { from, to, rows } of its) {
        const at = (from - first.from) * rowBytes;
        result.set(bytes.subarray(at, at + rows * rowBytes), (to - start) * rowBytes);
      }
    }
    return result;
  }

  /** Rows `start` to `end` of one source, as they are in the result. */
  async #convert(tensor: PlacedTensor, index: number, start: number, end: number): Promise<Uint8Array> {
    const source = tensor.sources[index] as StoredTensor;
    const { type, channelsLast = false } = tensor;
    const factor = (tensor.factor ?? 1) * (tensor.sourceFactors?.[index] ?? 1);
    const phase = tensor.phases?.[index];
    const addends: Float32Array[] = [];
    for (const addend of tensor.addends ?? [])
      addends.push(decodeFloats(await this.#read(addend, start, end), addend.dtype));
    const bytes = await this.#read(source, start, end);
    const { numbers, unfit } = convertNumbers(bytes, source.dtype, { type, factor, addends, phase });
    if (unfit !== undefined && phase) {
      const floats = decodeFloats(bytes, source.dtype);
      const taps = tapsOf(unfit, phase);
      const held = taps.map((tap) => floats[tap] as number);
      this.#refuse(new Array(taps.length).fill(source), held, factor);
    }
    if (unfit !== undefined) {
      const terms = [decodeFloats(bytes, source.dtype), ...addends].map((floats) => floats[unfit] as number);
      this.#refuse([source, ...(tensor.addends ?? [])], terms, factor);
    }
    const [, channels = 1, ...pixels] = phase ? summedShape(source.shape) : source.shape;
    const pixelCount = pixels.reduce((product, extent) => product * extent, 1);
    const ordered = channelsLast ? putChannelsLast(numbers, channels, pixelCount) : numbers;
    return new Uint8Array(ordered.buffer, ordered.byteOffset, ordered.byteLength);
  }

  #read(tensor: StoredTensor, start: number, end: number): Promise<Uint8Array> {
    const rowBytes = tensor.length / rowCount(tensor);
    const range = { start: tensor.offset + start * rowBytes, end: tensor.offset + end * rowBytes };
    return this.#props.reader.readRange(join(this.#props.folder, tensor.file), range);
  }

  /** @param terms the numbers of these tensors whose sum, times a factor, or one of which has no place in the result */
  #refuse(tensors: readonly StoredTensor[], terms: readonly number[], factor: number): never {
    const { reader, folder } = this.#props;
    const held = tensors.map(({ file, name }, index) => {
      return `${reader.nameOf(join(folder, file))}: tensor ${quoteName(name)} holds ${terms[index]}`;
    });
    const none = terms.findIndex((term) => !Number.isFinite(term));
    if (none >= 0) throw new AppError('INVALID_FILE', `${held[none]}, which is not a number to compute with`);
    const over = terms.findIndex((term) => Math.abs(term * factor) > MAX_HALF);
    const what = over >= 0 ? held[over] : `${held.join(', ')}: together`;
    throw new AppError(
      'UNSUPPORTED',
      `${what}, and float16 ends at ${MAX_HALF}: import it with --dialect standard --precision float32`,
    );
  }

  #assertThere(path: string): void {
    if (path !== this.name) throw new AppError('NOT_FOUND', `${this.description} has no ${path}`);
  }
}
