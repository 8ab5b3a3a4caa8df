import type { GenerateInput } from '../client/generate-input.js';
import type { GeneratedImages } from '../client/generated-images.js';
import { AppError } from '../errors/app-error.js';
import { encodeImage } from '../image/encode-image.js';
import { ImageDecoder } from '../image/image-decoder.js';
import { OWN_LIMITS } from '../image/picture-limits.js';
import { demoBundle } from '../package/demo-bundle.js';
import { openBundle } from '../pipeline/bundle.js';
import { loadTextToImage } from '../pipeline/load-text-to-image.js';
import type { InitPicture, TextToImage } from '../pipeline/text-to-image.js';
import { randomSeed } from '../random/random-seed.js';
import { JobQueue } from '../runtime/job-queue.js';
import { SessionHost } from '../runtime/session-host.js';
import { parsePlace } from '../weights/sources/place.js';
import { type ParsedInput, parseInput } from './parse-input.js';
import type { DrawOptions, OpenPipelineProps, Pipeline } from './pipeline.js';
import { keepRuntimeQuiet } from './quiet-runtime.js';

/**
 * Loads a model into this process: its networks run in a thread of their own, on the CPU. A process that has nothing else
 * to do ends, pipeline or not.
 *
 * @throws AppError NOT_FOUND where there is no bundle, INVALID_FILE for one that is damaged, UNSUPPORTED for one that
 * needs a GPU
 */
export async function openPipeline(props: OpenPipelineProps = {}): Promise<Pipeline> {
  const { model, threads } = props;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new AppError('INVALID_INPUT', `threads: must be an integer of at least 1, not ${threads}`);
  const bundle = await openBundle(model === undefined ? demoBundle() : directoryOf(model));
  keepRuntimeQuiet();
  const host = new SessionHost(new URL('../runtime/session-worker.js', import.meta.url));
  try {
    const options = { provider: 'cpu', ...(threads === undefined ? {} : { threads }) } as const;
    return new LocalPipeline(await loadTextToImage(bundle, host, options), host);
  } catch (error) {
    await host.close();
    throw error;
  }
}

function directoryOf(model: string): string {
  if (typeof model !== 'string')
    throw new AppError('INVALID_INPUT', 'model: must be the path of a directory');
  return parsePlace(model, ['directory']).path;
}

class LocalPipeline implements Pipeline {
  readonly model: string;
  readonly #pipeline: TextToImage;
  readonly #host: SessionHost;
  readonly #decoder = new ImageDecoder(new URL('../image/decode-process.js', import.meta.url));
  // How many wait is this program's own affair.
  readonly #queue = new JobQueue(Number.POSITIVE_INFINITY);
  #closing: Promise<void> | undefined;

  constructor(pipeline: TextToImage, host: SessionHost) {
    this.model = pipeline.bundle.name;
    this.#pipeline = pipeline;
    this.#host = host;
  }

  async generate(input: GenerateInput, options: DrawOptions = {}): Promise<GeneratedImages> {
    const { signal = new AbortController().signal } = options;
    signal.throwIfAborted();
    if (this.#closing) throw new AppError('UNAVAILABLE', 'the pipeline has been closed');
    const job = async () => this.#draw(await parseInput(input), signal);
    const { value } = await this.#queue.run(job, signal);
    return value;
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #draw(input: ParsedInput, signal: AbortSignal): Promise<GeneratedImages> {
    const { prompt, num_steps: steps, num_images: images, output_format: format, decoder } = input;
    const seed = input.seed ?? randomSeed();
    const init = await this.#readInit(input, signal);
    const request = { prompt, steps, seed, images, decoder, ...(init && { init }) };
    const drawn = await this.#pipeline.run(request, signal);
    const started = performance.now();
    // The prompt stays out: pictures travel further than their makers think.
    const text = { seed: String(seed), num_steps: String(steps), model: this.model };
    const encoded = await Promise.all(drawn.images.map((image) => encodeImage(image, format, text)));
    return {
      // Small buffers of Node's are parts of a larger one.
      images: encoded.map((bytes) => Uint8Array.from(bytes)),
      format,
      contentType: `image/${format}`,
      seed,
      steps,
      decoder,
      tokensCut: drawn.truncated,
      model: this.model,
      timings: { ...drawn.milliseconds, encode: performance.now() - started },
    };
  }

  async #readInit(
    { image, strength = 1 }: ParsedInput,
    signal: AbortSignal,
  ): Promise<InitPicture | undefined> {
    if (image === undefined) return undefined;
    const { initSize } = this.#pipeline;
    if (!initSize) {
      throw new AppError('UNSUPPORTED', 'image: this model has no encoder: import it again with --encoder');
    }
    const order = { bytes: image, ...initSize, limits: OWN_LIMITS };
    return { picture: await this.#decoder.decode(order, 'image', signal), strength };
  }

  async #release(): Promise<void> {
    await this.#queue.drained();
    await Promise.all([this.#host.close(), this.#decoder.close()]);
  }
}
