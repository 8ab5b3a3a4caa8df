import type { StoredTensor } from '../../weights/checkpoint/safetensors-header.js';
import type { Phase } from './upsampled-kernels.js';

/** How one tensor of a rewritten weights file is made. Rows are the entries along a tensor's first dimension. */
export interface WeightRecipe {
  /** In the graph. */
  readonly name: string;
  readonly type: 'float16' | 'float32';
  /** Of the result. */
  readonly shape: readonly number[];
  /** Of one shape each; blocks of `blockRows` of their rows take turns. */
  readonly sources: readonly StoredTensor[];
  /** @default all rows of a source */
  readonly blockRows?: number;
  /** Added to the source, of which there is one, number by number. @default none */
  readonly addends?: readonly StoredTensor[];
  /** Each row goes from [channels, height, width] to [height, width, channels]. @default false */
  readonly channelsLast?: boolean;
  /** Every number is multiplied by it: a power of two, so that nothing is rounded. @default 1 */
  readonly factor?: number;
  /** Powers of two as well, one for each source, on top of `factor`. @default 1 each */
  readonly sourceFactors?: readonly number[];
  /** One for each source: its 3x3 kernels become 2x2 sums of that phase. @default kernels stay as they are */
  readonly phases?: readonly Phase[];
}

/** Bytes of a number. */
export const NUMBER_BYTES = { float16: 2, float32: 4 } as const;

export function rowCount({ shape }: { readonly shape: readonly number[] }): number {
  return shape[0] ?? 1;
}

/** Numbers in one row. */
export function rowLength({ shape }: { readonly shape: readonly number[] }): number {
  return shape.slice(1).reduce((product, extent) => product * extent, 1);
}

/** Some rows of a result that lie together in one of its sources. */
export interface Segment {
  /** Index into the recipe's sources. */
  readonly source: number;
  /** First row in that source. */
  readonly from: number;
  /** First row in the result. */
  readonly to: number;
  readonly rows: number;
}

/** Where rows `start` to `end`, `end` not included, of a result come from. */
export function segments(recipe: WeightRecipe, start: number, end: number): Segment[] {
  const { sources } = recipe;
  const block = recipe.blockRows ?? rowCount(recipe) / sources.length;
  const found: Segment[] = [];
  for (let to = start; to < end; ) {
    const index = Math.floor(to / block);
    const within = to % block;
    const rows = Math.min(block - within, end - to);
    const from = Math.floor(index / sources.length) * block + within;
    found.push({ source: index % sources.length, from, to, rows });
    to += rows;
  }
  return found;
}
