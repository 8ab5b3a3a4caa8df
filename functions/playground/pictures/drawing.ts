import type { GeneratedImages } from '../../../lib/client/generated-images.js';
import { randomId } from '../../../lib/client/random-id.js';
import type { Settings } from '../settings/settings.js';

/** Pictures with what they were made of, as this browser keeps them. */
export interface Drawing {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly settings: Settings & { readonly seed: number };
  readonly model: string;
  readonly tokensCut: number;
  /** Sentences. @default none */
  readonly warnings?: readonly string[] | undefined;
  readonly images: readonly Blob[];
  /** Milliseconds by phase; empty where they are not known. */
  readonly timings: Readonly<Record<string, number>>;
  /** From the click to the picture. Milliseconds. */
  readonly elapsed: number;
}

export interface Waited {
  /** From the click to the picture. Milliseconds. */
  readonly elapsed: number;
  /** Whether the service kept the request and drew it later. */
  readonly wasKept: boolean;
}

export function toDrawing(made: GeneratedImages, settings: Settings, { elapsed, wasKept }: Waited): Drawing {
  const { images, format, contentType, seed, steps, decoder, tokensCut, warnings, model, timings } = made;
  return {
    id: randomId(),
    at: Date.now(),
    settings: { ...settings, seed, num_steps: steps, output_format: format, decoder },
    model,
    tokensCut,
    warnings,
    images: images.map((bytes) => new Blob([bytes], { type: contentType })),
    timings: wasKept ? withWaiting(timings, elapsed) : timings,
    elapsed,
  };
}

/** What was not drawing was waiting, for the wake and in the queue; `total` is only that of the last look for it. */
function withWaiting({ total: _, ...phases }: Drawing['timings'], elapsed: number): Drawing['timings'] {
  const drawn = Object.values(phases).reduce((sum, milliseconds) => sum + milliseconds, 0);
  return { waiting: Math.max(0, elapsed - drawn), ...phases };
}
