import type { Decoder, OutputFormat } from '../../lib/schemas/request.js';

/** What the form says. The service's own defaults and limits: a test holds them against its schemas. */
export interface Settings {
  readonly prompt: string;
  readonly num_steps: number;
  /** @default random */
  readonly seed?: number;
  readonly num_images: number;
  readonly output_format: OutputFormat;
  readonly decoder: Decoder;
}

const DEFAULTS = { num_steps: 1, num_images: 1, output_format: 'png', decoder: 'vae' } as const;

/** The request's body: nothing that the service would assume by itself. */
export function toBody(settings: Settings): Partial<Settings> & { prompt: string } {
  const { prompt, seed, ...options } = settings;
  const said = Object.entries(options).filter(
    ([name, value]) => DEFAULTS[name as keyof typeof DEFAULTS] !== value,
  );
  return { prompt, ...(seed === undefined ? {} : { seed }), ...Object.fromEntries(said) };
}

/** One line that stands for the options while they are folded away. */
export function summary({ num_steps, seed, num_images, output_format, decoder }: Settings): string {
  const parts = [
    num_steps === 1 ? '1 step' : `${num_steps} steps`,
    ...(num_images === 1 ? [] : [`${num_images} pictures`]),
    seed === undefined ? 'random seed' : `seed ${seed}`,
    output_format.toUpperCase(),
    decoder.toUpperCase(),
  ];
  return parts.join(' · ');
}
