import type { ExternalData } from '../../onnx/model.js';
import { NUMBER_BYTES, rowCount, rowLength, type WeightRecipe } from './weight-recipe.js';

/** ONNX asks for offsets that a file can be mapped into memory at (`external_data` in onnx.proto). */
const ALIGNMENT = 4096;

export interface PlacedTensor extends WeightRecipe {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** Lays out a weights file: tensors in the order in which the graph asks for them. */
export class WeightPlan {
  readonly file: string;
  readonly #tensors: PlacedTensor[] = [];
  #size = 0;

  /** @param file beside the graph */
  constructor(file: string) {
    this.file = file;
  }

  /** Of one file, not overlapping, by offset. */
  get tensors(): readonly PlacedTensor[] {
    return this.#tensors;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  add(recipe: WeightRecipe): ExternalData {
    const offset = Math.ceil(this.#size / ALIGNMENT) * ALIGNMENT;
    const length = rowCount(recipe) * rowLength(recipe) * NUMBER_BYTES[recipe.type];
    this.#tensors.push({ ...recipe, offset, length });
    this.#size = offset + length;
    return { location: this.file, offset, length };
  }
}
