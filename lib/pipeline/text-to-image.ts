import { join } from 'node:path';
import { AppError } from '../errors/app-error.js';
import type { RgbImage } from '../image/rgb-image.js';
import { TorchGenerator } from '../random/torch-generator.js';
import type { SessionHost } from '../runtime/session-host.js';
import type { LoadOptions, Provider } from '../runtime/session-messages.js';
import { toFloats } from '../runtime/tensor.js';
import type { EulerDiscreteScheduler, Schedule } from '../schedulers/euler-discrete.js';
import type { Decoder } from '../schemas/request.js';
import { assertFits } from '../tokenizer/assert-fits.js';
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { assertNumbers } from './assert-numbers.js';
import {
  assertRunsOn,
  type Bundle,
  type DecoderConfig,
  decoderConfig,
  type EncoderConfig,
  graphPath,
  type NetworkName,
  readScheduler,
  readTextEncoderSize,
} from './bundle.js';
import { encodePicture } from './encode-picture.js';
import { imagesPerRun } from './images-per-run.js';
import { type Feed, Network } from './network.js';
import { toPixels } from './to-pixels.js';

export interface TextToImageRequest {
  readonly prompt: string;
  /** At least 1. */
  readonly steps: number;
  /** 0 to 2^53-1. */
  readonly seed: number;
  /** How many pictures one draw of noise gives. */
  readonly images: number;
  readonly decoder: Decoder;
  /** What the pictures begin with instead of nothing but noise. @default noise alone */
  readonly init?: InitPicture;
}

export interface InitPicture {
  /** As large as the pictures that come out. */
  readonly picture: RgbImage;
  /** Above 0, at most 1: how much of the schedule is done, and so how far the result may be from the picture. */
  readonly strength: number;
}

/** Milliseconds inside the networks, over all steps and pictures. */
export interface PhaseTimes {
  text_encoder: number;
  unet: number;
  decoder: number;
  /** Only where a picture came in. */
  encoder?: number;
}

export interface TextToImageResult {
  readonly images: readonly RgbImage[];
  /** How many tokens of the prompt were cut. */
  readonly truncated: number;
  readonly milliseconds: Readonly<PhaseTimes>;
}

interface Decoding {
  readonly network: Network;
  readonly config: DecoderConfig;
}

interface TextStates extends Feed {
  readonly values: Float32Array;
}

interface Networks {
  readonly textEncoder: Network;
  readonly unet: Network;
  readonly decoders: ReadonlyMap<Decoder, Decoding>;
  /** Undefined where the bundle has none, or it was not asked for. */
  readonly encoder: { readonly network: Network; readonly config: EncoderConfig } | undefined;
}

/**
 * The StableDiffusionPipeline of diffusers at guidance scale 0: no classifier-free guidance. With a picture to
 * begin with it is the StableDiffusionImg2ImgPipeline.
 */
export class TextToImage {
  readonly #bundle: Bundle;
  readonly #tokenizer: ClipTokenizer;
  readonly #scheduler: EulerDiscreteScheduler;
  readonly #networks: Networks;
  readonly #provider: Provider;
  /** Of the UNet. */
  readonly #imagesPerRun: number;

  private constructor(
    bundle: Bundle,
    tokenizer: ClipTokenizer,
    scheduler: EulerDiscreteScheduler,
    networks: Networks,
    provider: Provider,
  ) {
    this.#bundle = bundle;
    this.#tokenizer = tokenizer;
    this.#scheduler = scheduler;
    this.#networks = networks;
    this.#provider = provider;
    // Other exporters may have settled for one.
    this.#imagesPerRun = networks.unet.takesSeveral ? imagesPerRun(provider, bundle.unetChannels) : 1;
  }

  /**
   * Loads a bundle's networks into the session thread.
   *
   * @param decoders which of the bundle's decoders to load; the others are refused by `run`
   * @param whenThere waits until a network's files are on disk
   * @throws AppError INVALID_FILE for a file of the bundle, INVALID_INPUT for a decoder that it has not, UNSUPPORTED
   * for a provider that it was not made for, and where the tokenizer and the text encoder do not fit
   */
  static async load(
    bundle: Bundle,
    host: SessionHost,
    options: LoadOptions,
    decoders: readonly Decoder[] = [...bundle.decoders.keys()],
    whenThere: (network: NetworkName) => Promise<void> = async () => {},
  ): Promise<TextToImage> {
    assertRunsOn(options.provider, bundle);
    // These graphs were written as they are to run: to look for what could be better would only take time.
    const asIs = bundle.dialect === 'cuda';
    const configs = decoders.map((decoder) => [decoder, decoderConfig(bundle, decoder)] as const);
    const tokenizer = await ClipTokenizer.load(join(bundle.folder, 'tokenizer'));
    const size = await readTextEncoderSize(bundle.folder);
    if (size) assertFits(tokenizer, size, `${bundle.folder}/text_encoder`);
    const scheduler = await readScheduler(bundle.folder);
    const load = async (network: NetworkName) => {
      await whenThere(network);
      const signature = await host.load(network, graphPath(bundle.folder, network), { asIs, ...options });
      return new Network(host, network, signature);
    };
    const textEncoder = await load('text_encoder');
    const unet = await load('unet');
    const decodings = new Map<Decoder, Decoding>();
    for (const [decoder, config] of configs) decodings.set(decoder, { network: await load(decoder), config });
    const { encoder: config } = bundle;
    const encoder = config && { network: await load('vae_encoder'), config };
    const networks = { textEncoder, unet, decoders: decodings, encoder };
    return new TextToImage(bundle, tokenizer, scheduler, networks, options.provider);
  }

  /** The size that a picture to begin with must have; undefined where none can be taken. Pixels. */
  get initSize(): { readonly width: number; readonly height: number } | undefined {
    return this.#networks.encoder?.config;
  }

  /** The latents of a picture, of which nothing is kept: the part of `run` that only requests with one have. */
  async encode(picture: RgbImage): Promise<void> {
    await this.#encodePicture(picture, new TorchGenerator(0), { text_encoder: 0, unet: 0, decoder: 0 });
  }

  /** What was loaded. */
  get bundle(): Bundle {
    return this.#bundle;
  }

  /** Where it runs. */
  get provider(): Provider {
    return this.#provider;
  }

  /** The decoders that were loaded. */
  get decoders(): readonly Decoder[] {
    return [...this.#networks.decoders.keys()];
  }

  /**
   * Makes pictures of a prompt.
   *
   * @param signal stops the work before the next network runs
   * @throws AppError INVALID_INPUT for a decoder that is not there or a number of steps out of range, BAD_NUMBERS where
   * the networks gave what are none
   */
  async run(request: TextToImageRequest, signal?: AbortSignal): Promise<TextToImageResult> {
    const { prompt, steps, seed, images, decoder, init } = request;
    const decoding = this.#decoding(decoder);
    const schedule = partOf(this.#scheduler.schedule(steps), init?.strength ?? 1);
    const times: PhaseTimes = { text_encoder: 0, unet: 0, decoder: 0 };

    const { inputIds, truncated } = this.#tokenizer.encode(this.#tokenizer.expandConcepts(prompt));
    const text = await this.#encode(inputIds, times);
    const generator = new TorchGenerator(seed);
    const base = init && (await this.#encodePicture(init.picture, generator, times));
    // One draw for all pictures, as diffusers does with one generator.
    const noise = generator.randn(images * this.#latentSize);
    const starts = base
      ? this.#scheduler.addNoise(repeat(base, images), noise, schedule)
      : startFrom(noise, schedule);
    const pictures: RgbImage[] = [];
    for (const start of this.#split(starts, this.#imagesPerRun)) {
      const latents = await this.#denoise(start, text, schedule, times, signal);
      for (const latent of this.#split(latents, 1)) {
        signal?.throwIfAborted();
        pictures.push(await this.#decode(latent, decoding, times));
      }
    }
    return { images: pictures, truncated, milliseconds: times };
  }

  /** input_ids [77] -> last_hidden_state [1, 77, D]. */
  async #encode(inputIds: Int32Array, times: PhaseTimes): Promise<TextStates> {
    const feeds = { input_ids: { values: inputIds, dims: [1, inputIds.length] } };
    const { output, milliseconds } = await this.#networks.textEncoder.run(feeds, 'last_hidden_state');
    times.text_encoder += milliseconds;
    const values = toFloats(output);
    assertNumbers('text_encoder', values);
    return { values, dims: output.dims };
  }

  async #encodePicture(
    picture: RgbImage,
    generator: TorchGenerator,
    times: PhaseTimes,
  ): Promise<Float32Array> {
    const { encoder } = this.#networks;
    if (!encoder) {
      throw new AppError('INVALID_INPUT', 'this model has no encoder: it cannot begin with a picture');
    }
    const { network, config } = encoder;
    const { width, height, scalingFactor } = config;
    if (picture.width !== width || picture.height !== height) {
      throw new AppError('INVALID_INPUT', `the picture to begin with must have ${width} x ${height} pixels`);
    }
    const randn = (count: number) => generator.randn(count);
    const { latents, milliseconds } = await encodePicture({ network, scalingFactor, picture, randn });
    times.encoder = milliseconds;
    return latents;
  }

  async #denoise(
    start: Float32Array,
    text: TextStates,
    schedule: Schedule,
    times: PhaseTimes,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    let latents = start;
    const images = start.length / this.#latentSize;
    const states = { values: repeat(text.values, images), dims: [images, ...text.dims.slice(1)] };
    for (const [step, timestep] of schedule.timesteps.entries()) {
      signal?.throwIfAborted();
      const { output, milliseconds } = await this.#networks.unet.run(
        {
          sample: this.#latentFeed(this.#scheduler.scaleModelInput(latents, schedule, step)),
          timestep: { values: new Float32Array(images).fill(timestep), dims: [images] },
          encoder_hidden_states: states,
        },
        'out_sample',
      );
      times.unet += milliseconds;
      const predicted = toFloats(output);
      assertNumbers('unet', predicted);
      latents = this.#scheduler.step(predicted, latents, schedule, step);
    }
    return latents;
  }

  async #decode(latents: Float32Array, { network, config }: Decoding, times: PhaseTimes): Promise<RgbImage> {
    const unscaled = latents.map((value) => value / config.scalingFactor);
    const feeds = { latent_sample: this.#latentFeed(unscaled) };
    const { output, all, milliseconds } = await network.run(feeds, 'image', 'sample');
    times.decoder += milliseconds;
    return toPixels(output, all['image_mean']);
  }

  #latentFeed(values: Float32Array): Feed {
    return { values, dims: [values.length / this.#latentSize, ...this.#bundle.latentShape] };
  }

  /** Of one picture. */
  get #latentSize(): number {
    return this.#bundle.latentShape.reduce((product, side) => product * side, 1);
  }

  /** Views of the latents of several pictures, of so many each. */
  #split(latents: Float32Array, images: number): Float32Array[] {
    const length = images * this.#latentSize;
    const count = Math.ceil(latents.length / length);
    return Array.from({ length: count }, (_, index) =>
      latents.subarray(index * length, (index + 1) * length),
    );
  }

  #decoding(decoder: Decoder): Decoding {
    const decoding = this.#networks.decoders.get(decoder);
    if (decoding) return decoding;
    const there = this.decoders.join(', ');
    throw new AppError('INVALID_INPUT', `decoder "${decoder}" is not in this model: it has ${there}`);
  }
}

/** The numbers of one picture for each of several. */
function repeat(numbers: Float32Array, times: number): Float32Array {
  const repeated = new Float32Array(times * numbers.length);
  for (let at = 0; at < repeated.length; at += numbers.length) repeated.set(numbers, at);
  return repeated;
}

/**
 * The end of a schedule that is done from `strength` on, as diffusers counts it.
 *
 * @throws AppError INVALID_INPUT where not even one step is left
 */
function partOf(schedule: Schedule, strength: number): Schedule {
  const steps = schedule.timesteps.length;
  const kept = Math.min(Math.floor(steps * strength), steps);
  if (kept >= 1 && strength <= 1) {
    const first = steps - kept;
    return {
      ...schedule,
      timesteps: schedule.timesteps.subarray(first),
      sigmas: schedule.sigmas.subarray(first),
    };
  }
  throw new AppError('INVALID_INPUT', 'strength must be at most 1, and steps x strength at least 1');
}

function startFrom(noise: Float32Array, { initNoiseSigma }: Schedule): Float32Array {
  return noise.map((value) => value * initNoiseSigma);
}
