import { AppError } from '../errors/app-error.js';
import type { RgbImage } from '../image/rgb-image.js';
import { TorchGenerator } from '../random/torch-generator.js';
import type { Provider } from '../runtime/session-messages.js';
import { toFloats } from '../runtime/tensor.js';
import type { EulerDiscreteScheduler, Schedule } from '../schedulers/euler-discrete.js';
import { partOfSchedule } from '../schedulers/part-of-schedule.js';
import type { Decoder } from '../schemas/request.js';
import type { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { assertNumbers } from './assert-numbers.js';
import type { BatchedNetwork } from './batched-network.js';
import type { Bundle, DecoderConfig, EncoderConfig } from './bundle.js';
import { encodePicture } from './encode-picture.js';
import { imagesPerRun } from './images-per-run.js';
import { latentsFrom, repeatNumbers, splitLatents } from './latents.js';
import type { Feed, Network } from './network.js';
import { promptWarnings } from './prompt-warnings.js';
import { RecentTexts, type TextStates } from './recent-texts.js';
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
  /** 0 where the prompt's states were kept: it did not run. */
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
  /** Sentences for a person. */
  readonly warnings: readonly string[];
  readonly milliseconds: Readonly<PhaseTimes>;
}

export interface Decoding {
  readonly network: Network;
  readonly config: DecoderConfig;
}

interface Networks {
  readonly textEncoder: Network;
  readonly unet: Network | BatchedNetwork;
  readonly decoders: ReadonlyMap<Decoder, Decoding>;
  /** Undefined where the bundle has none, or it was not asked for. */
  readonly encoder: { readonly network: Network; readonly config: EncoderConfig } | undefined;
}

/** What `loadTextToImage` has loaded. */
export interface TextToImageProps {
  readonly bundle: Bundle;
  readonly tokenizer: ClipTokenizer;
  readonly scheduler: EulerDiscreteScheduler;
  readonly networks: Networks;
  readonly provider: Provider;
  /** Rows of several requests that one run of the UNet may have. */
  readonly maxBatchSize: number;
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
  /** How many requests should be under way at once, so that they share what they can. */
  readonly maxBatchSize: number;
  #recentTexts: RecentTexts | undefined;

  constructor({ bundle, tokenizer, scheduler, networks, provider, maxBatchSize }: TextToImageProps) {
    this.#bundle = bundle;
    this.#tokenizer = tokenizer;
    this.#scheduler = scheduler;
    this.#networks = networks;
    this.#provider = provider;
    this.maxBatchSize = maxBatchSize;
    // Other exporters may have settled for one.
    this.#imagesPerRun = networks.unet.takesSeveral ? imagesPerRun(provider, bundle.unetChannels) : 1;
  }

  /** The size that a picture to begin with must have; undefined where none can be taken. Pixels. */
  get initSize(): { readonly width: number; readonly height: number } | undefined {
    return this.#networks.encoder?.config;
  }

  /** The latents of a picture, of which nothing is kept: the part of `run` that only requests with one have. */
  async encode(picture: RgbImage): Promise<void> {
    await this.#encodePicture(picture, new TorchGenerator(0), { text_encoder: 0, unet: 0, decoder: 0 });
  }

  /** From now on the text encoder does not run for a prompt that is among the last few. */
  keepTexts(): void {
    this.#recentTexts ??= new RecentTexts();
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
    const { prompt, steps, decoder, init } = request;
    const decoding = this.#decoding(decoder);
    const schedule = partOfSchedule(this.#scheduler.schedule(steps), init?.strength ?? 1);
    const times: PhaseTimes = { text_encoder: 0, unet: 0, decoder: 0 };
    const { text, truncated } = await this.#encode(prompt, times);
    const starts = await this.#prepareLatents(request, schedule, times);
    const pictures: RgbImage[] = [];
    for (const start of splitLatents(starts, this.#imagesPerRun, this.#latentSize)) {
      const latents = await this.#denoise(start, text, schedule, times, signal);
      for (const latent of splitLatents(latents, 1, this.#latentSize)) {
        signal?.throwIfAborted();
        pictures.push(await this.#decode(latent, decoding, times));
      }
    }
    return {
      images: pictures,
      truncated,
      warnings: promptWarnings(prompt, this.#bundle),
      milliseconds: times,
    };
  }

  /** A prompt -> input_ids [77] -> last_hidden_state [1, 77, D]. */
  async #encode(prompt: string, times: PhaseTimes): Promise<{ text: TextStates; truncated: number }> {
    const { inputIds, truncated } = this.#tokenizer.encode(this.#tokenizer.expandConcepts(prompt));
    const kept = this.#recentTexts?.find(inputIds);
    if (kept) return { text: kept, truncated };
    const feeds = { input_ids: { values: inputIds, dims: [1, inputIds.length] } };
    const { output, milliseconds } = await this.#networks.textEncoder.run(feeds, 'last_hidden_state');
    times.text_encoder += milliseconds;
    const values = toFloats(output);
    assertNumbers('text_encoder', values);
    const text = { values, dims: output.dims };
    this.#recentTexts?.keep(inputIds, text);
    return { text, truncated };
  }

  /** [images, latent, h, w], at the first of the timesteps. One draw for all pictures, as diffusers does with one generator. */
  async #prepareLatents(
    { seed, images, init }: TextToImageRequest,
    schedule: Schedule,
    times: PhaseTimes,
  ): Promise<Float32Array> {
    const generator = new TorchGenerator(seed);
    const base = init && (await this.#encodePicture(init.picture, generator, times));
    const noise = generator.randn(images * this.#latentSize);
    if (!base) return latentsFrom(noise, schedule);
    return this.#scheduler.addNoise(repeatNumbers(base, images), noise, schedule);
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
    const states = { values: repeatNumbers(text.values, images), dims: [images, ...text.dims.slice(1)] };
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

  #decoding(decoder: Decoder): Decoding {
    const decoding = this.#networks.decoders.get(decoder);
    if (decoding) return decoding;
    const there = this.decoders.join(', ');
    throw new AppError('INVALID_INPUT', `decoder: this model has no ${decoder}, but ${there}`);
  }
}
