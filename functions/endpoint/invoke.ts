import { AppError } from '../../lib/errors/app-error.js';
import { encodeImage, type RgbImage } from '../../lib/image/encode-image.js';
import type { ImageDecoder } from '../../lib/image/image-decoder.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { resizeImage, tellResize } from '../../lib/image/resize-image.js';
import type { InitPicture, TextToImage } from '../../lib/pipeline/text-to-image.js';
import { randomSeed } from '../../lib/random/random-seed.js';
import type { JobQueue } from '../../lib/runtime/job-queue.js';
import type { GenerateAnswer } from '../../lib/schemas/answer.js';
import { imageBytes } from '../../lib/schemas/image-rules.js';
import { type DrawRequest, drawRequestSchema, type GenerateRequest } from '../../lib/schemas/request.js';
import { parseRequest } from '../shared/parse-request.js';
import { serverTiming } from '../shared/server-timing.js';
import { warningsHeader } from '../shared/warnings-header.js';
import type { ModelWatch } from './model-watch.js';

export interface InvokeContext {
  /** Undefined while the model is not ready. */
  readonly pipeline: TextToImage | undefined;
  readonly decoder: ImageDecoder;
  readonly queue: JobQueue;
  readonly watch: ModelWatch;
  readonly model: string;
  /** Aborted when the caller has gone or its time is up. */
  readonly signal: AbortSignal;
}

/** `POST /invocations`: draws, and answers with JSON, or with the picture's bytes where `Accept` asks for them. */
export async function invoke(request: Request, context: InvokeContext): Promise<Response> {
  const { wanted, raw } = await parseRequest(request, drawRequestSchema);
  const { pipeline, queue, watch, signal } = context;
  if (!pipeline) throw new AppError('UNAVAILABLE', 'the model is not ready: see /ping');
  const seed = wanted.seed ?? randomSeed();
  const { prompt, num_steps: steps, num_images: images, decoder, output_format: format } = wanted;
  const init = await readInit(wanted, pipeline, context);
  const draw = () => pipeline.run({ prompt, steps, seed, images, decoder, ...(init && { init }) }, signal);
  const { value: drawn, queuedMilliseconds } = await queue.run(() => watch.over(draw, signal), signal);
  const encodeStarted = performance.now();
  const text = { seed: String(seed), num_steps: String(steps), model: context.model };
  const { size, resized } = sizeOf(drawn.images, wanted);
  const warnings = [...drawn.warnings, ...resized];
  const pictures = await Promise.all(
    drawn.images.map(async (image) => encodeImage(await resizeImage(image, size), format, text)),
  );
  const encode = performance.now() - encodeStarted;
  const timing = serverTiming({ queue: queuedMilliseconds, load: 0, ...drawn.milliseconds, encode });
  const first = pictures[0] as Buffer;
  // SageMaker passes on no header of ours but this one, which has no spaces.
  const timed = {
    'server-timing': timing,
    'x-amzn-sagemaker-custom-attributes': timing.replaceAll(' ', ''),
  };
  if (raw) {
    const headers = {
      ...timed,
      'content-type': `image/${format}`,
      'x-seed': String(seed),
      ...warningsHeader(warnings),
    };
    return new Response(Uint8Array.from(first), { headers });
  }
  const results = pictures.map((picture) => picture.toString('base64'));
  const answer: GenerateAnswer = {
    result: results[0] as string,
    ...(images > 1 ? { results } : {}),
    seed,
    num_steps: steps,
    output_format: format,
    decoder,
    size,
    tokens_cut: drawn.truncated,
    ...(warnings.length > 0 && { warnings }),
    model: context.model,
  };
  return Response.json(answer, { headers: timed });
}

/** The size that is wanted, or else the model's own, and what there is to tell of the way there. */
function sizeOf([first]: readonly RgbImage[], wanted: DrawRequest) {
  const { width, height } = first as RgbImage;
  const size = wanted.size ?? { width, height };
  const words = tellResize({ width, height }, size);
  return { size, resized: words === undefined ? [] : [words] };
}

/** The picture to begin with, brought to the model's size. */
async function readInit(
  { image, strength = 1 }: GenerateRequest,
  { initSize }: TextToImage,
  { decoder, signal }: InvokeContext,
): Promise<InitPicture | undefined> {
  if (image === undefined) return undefined;
  if (!initSize)
    throw new AppError('UNSUPPORTED', 'image: this model has no encoder, it begins with noise only');
  const order = { bytes: imageBytes(image), ...initSize, limits: REQUEST_LIMITS };
  return { picture: await decoder.decode(order, 'image', signal), strength };
}
