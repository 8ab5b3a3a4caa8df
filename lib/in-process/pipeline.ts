import type { GenerateInput } from '../client/generate-input.js';
import type { GeneratedImages } from '../client/generated-images.js';

export interface OpenPipelineProps {
  /** Directory of a bundle, as `sd-turbo import` makes it. @default the demo model, which is part of the package */
  readonly model?: string | undefined;
  /** For one picture. @default one per core */
  readonly threads?: number | undefined;
}

export interface DrawOptions {
  /** Stops the work before the next network runs. @default never */
  readonly signal?: AbortSignal | undefined;
}

/** A model in memory, in a thread of its own. `await using` closes it. */
export interface Pipeline {
  /** What it is called: `owner/name@commit` of Hugging Face, or its own name. */
  readonly model: string;
  /**
   * Draws. Calls are served one after another, in their order.
   *
   * @throws AppError INVALID_INPUT that names the field, UNSUPPORTED for an `image` where the model has no encoder,
   * UNAVAILABLE when it has been closed; the signal's reason
   */
  generate(input: GenerateInput, options?: DrawOptions): Promise<GeneratedImages>;
  /** Finishes what has been asked for, and gives the memory back. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
