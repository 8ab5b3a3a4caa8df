import type { Health } from '../schemas/health.js';
import type { Decoder, OutputFormat } from '../schemas/request.js';

export interface ClientProps {
  /** Where the service is, with the stage where it has one: `https://…/prod`, or `http://localhost:8000`. */
  readonly url: string;
  readonly apiKey: string;
  /** @default the platform's own */
  readonly fetch?: typeof fetch;
}

/** What is asked for; the service's defaults hold where nothing is said. */
export interface GenerateInput {
  readonly prompt: string;
  /** 1 to 4. @default 1 */
  readonly num_steps?: number | undefined;
  /** 0 to 2^53-1; the same seed gives the same picture. @default random */
  readonly seed?: number | undefined;
  /** 1 to 4. @default 1 */
  readonly num_images?: number | undefined;
  /** @default png */
  readonly output_format?: OutputFormat | undefined;
  /** @default vae */
  readonly decoder?: Decoder | undefined;
  /** PNG, JPEG or WebP to begin with, as base64 or as a data URL. @default noise alone */
  readonly image?: string | undefined;
  /** How far the result may be from `image`. @default 0.5 with `image` */
  readonly strength?: number | undefined;
}

export interface GenerateOptions {
  /** Told whenever something has changed, and each time that a long poll ends. @default nobody is told */
  readonly onProgress?: (progress: GenerateProgress) => void;
  /** Gives up; the service may draw the picture all the same. @default never */
  readonly signal?: AbortSignal;
  /** The same key never draws twice, also across calls. @default a new one for each call */
  readonly idempotencyKey?: string;
  /** How long to go on before giving up. Milliseconds. @default 15 minutes, longer than a wake takes */
  readonly timeoutMs?: number;
}

export interface GenerateProgress {
  /** `sending` until the service has answered; `queued` while it keeps the request; `retrying` in a pause. */
  readonly phase: 'sending' | 'queued' | 'retrying';
  /** Since the call began. */
  readonly seconds: number;
  /** Why it is asked again: comes with `retrying`. */
  readonly reason?: string;
  /** Of the endpoint, while queued: asleep, waking, with an estimate. */
  readonly health?: Health;
}

export interface GeneratedImages {
  /** The pictures' bytes, in `format`. */
  readonly images: readonly Uint8Array[];
  readonly format: OutputFormat;
  /** Which was used: it draws the same pictures again. */
  readonly seed: number;
  readonly steps: number;
  readonly decoder: Decoder;
  /** How many tokens of the prompt were cut. */
  readonly tokensCut: number;
  /** What a person should know of the pictures: words that the model does not know. @default none */
  readonly warnings?: readonly string[];
  readonly model: string;
  /** Durations by phase as the service tells them, milliseconds. */
  readonly timings: Readonly<Record<string, number>>;
  readonly requestId: string | undefined;
}
