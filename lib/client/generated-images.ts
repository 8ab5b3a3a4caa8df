import type { Decoder, OutputFormat } from './generate-input.js';

/** The bytes of a picture; a part that `new Blob([image])` takes, whatever TypeScript's version. */
export type ImageBytes = ReturnType<typeof Uint8Array.from>;

/** Pictures, and what they were made of. */
export interface GeneratedImages {
  /** As many as were asked for, in `format`; none where `responseFormat` was url. */
  readonly images: readonly ImageBytes[];
  /** Where each picture is found without a key: with `responseFormat: 'url'`. */
  readonly urls?: readonly string[];
  /** Until when at most. ISO 8601. */
  readonly urlsExpireAt?: string;
  readonly format: OutputFormat;
  /** Of each picture: `new Blob([image], { type: contentType })`. */
  readonly contentType: `image/${OutputFormat}`;
  /** Which was used: it draws the same pictures again. */
  readonly seed: number;
  readonly steps: number;
  readonly decoder: Decoder;
  /** Of each picture. Pixels. @default an older service does not say */
  readonly size?: { readonly width: number; readonly height: number };
  /** How many tokens of the prompt were cut; 0 when it fitted. */
  readonly tokensCut: number;
  /** What a person should know of the pictures: words that the model does not know. @default none */
  readonly warnings?: readonly string[];
  /** `owner/name@commit` of Hugging Face, or the model's own name. */
  readonly model: string;
  /** Durations by phase, as far as they are known. Milliseconds. */
  readonly timings: Readonly<Record<string, number>>;
  /** Names the request in the log of the service that has answered it. */
  readonly requestId?: string;
}
