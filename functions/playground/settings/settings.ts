import type { GenerateInput } from '../../../lib/client/generate-input.js';
import type { Decoder, OutputFormat } from '../../../lib/schemas/request.js';

/** What the form says. The service's own defaults and limits: a test holds them against its schemas. */
export interface Settings {
  readonly prompt: string;
  readonly num_steps: number;
  /** @default random */
  readonly seed?: number | undefined;
  readonly num_images: number;
  readonly output_format: OutputFormat;
  readonly decoder: Decoder;
  /** A data URL. @default noise alone */
  readonly image?: string | undefined;
  /** Comes with `image`. */
  readonly strength?: number | undefined;
}

const DEFAULTS = { num_steps: 1, num_images: 1, output_format: 'png' } as const;

/** The request's body: nothing that every service assumes by itself. Which decoder it does is settled at the deploy. */
export function toBody(settings: Settings): Partial<Settings> & { prompt: string } {
  const { prompt, seed, ...options } = settings;
  // With an image, other steps would be assumed.
  const defaults = options.image === undefined ? DEFAULTS : { ...DEFAULTS, num_steps: undefined };
  const said = Object.entries(options).filter(
    ([name, value]) => defaults[name as keyof typeof DEFAULTS] !== value,
  );
  return { prompt, ...(seed === undefined ? {} : { seed }), ...Object.fromEntries(said) };
}

/** The same as the client takes it. */
export function toInput(settings: Settings): GenerateInput {
  const { num_steps: steps, num_images: numImages, output_format: format, ...others } = settings;
  return { ...others, steps, numImages, format };
}

/** One line that stands for the options while they are folded away. */
export function summary(settings: Settings): string {
  const { num_steps, seed, num_images, output_format, decoder, image } = settings;
  const parts = [
    num_steps === 1 ? '1 step' : `${num_steps} steps`,
    ...(num_images === 1 ? [] : [`${num_images} pictures`]),
    ...(image === undefined ? [] : ['from a picture']),
    seed === undefined ? 'random seed' : `seed ${seed}`,
    output_format.toUpperCase(),
    decoder.toUpperCase(),
  ];
  return parts.join(' · ');
}
