import { AppError } from '../../lib/errors/app-error.js';
import { encodeImage } from '../../lib/image/encode-image.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { randomSeed } from '../../lib/random/random-seed.js';
import type { JobQueue } from '../../lib/runtime/job-queue.js';
import type { GenerateAnswer } from '../../lib/schemas/answer.js';
import { type GenerateRequest, generateRequestSchema, OUTPUT_FORMATS } from '../../lib/schemas/request.js';
import { RequestRefused } from '../shared/problem-response.js';
import { readJsonBody } from '../shared/read-json-body.js';
import { serverTiming } from '../shared/server-timing.js';

export interface InvokeContext {
  /** Undefined while the model is not ready. */
  readonly pipeline: TextToImage | undefined;
  readonly queue: JobQueue;
  readonly model: string;
  /** Aborted when the caller has gone or its time is up. */
  readonly signal: AbortSignal;
}

/** `POST /invocations`: draws, and answers with JSON, or with the picture's bytes where `Accept` asks for them. */
export async function invoke(request: Request, context: InvokeContext): Promise<Response> {
  const raw = rawFormat(request.headers.get('accept'));
  const wanted = parseRequest(await readJsonBody(request), raw);
  const { pipeline, queue, signal } = context;
  if (!pipeline) throw new AppError('UNAVAILABLE', 'the model is still loading: see /ping');
  const seed = wanted.seed ?? randomSeed();
  const { prompt, num_steps: steps, num_images: images, decoder, output_format: format } = wanted;
  const job = () => pipeline.run({ prompt, steps, seed, images, decoder }, signal);
  const { value: drawn, queuedMilliseconds } = await queue.run(job, signal);
  const encodeStarted = performance.now();
  const text = { seed: String(seed), num_steps: String(steps), model: context.model };
  const pictures = await Promise.all(drawn.images.map((image) => encodeImage(image, format, text)));
  const encode = performance.now() - encodeStarted;
  const timing = serverTiming({ queue: queuedMilliseconds, load: 0, ...drawn.milliseconds, encode });
  const first = pictures[0] as Buffer;
  if (raw) {
    const headers = { 'content-type': `image/${format}`, 'server-timing': timing, 'x-seed': String(seed) };
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
    tokens_cut: drawn.truncated,
    model: context.model,
  };
  return Response.json(answer, { headers: { 'server-timing': timing } });
}

function parseRequest(body: unknown, raw: string | undefined): GenerateRequest {
  const { data, error } = generateRequestSchema.safeParse(withFormat(body, raw));
  if (error) throw new RequestRefused(error.issues);
  if (raw && data.num_images > 1) {
    throw new AppError('INVALID_INPUT', 'num_images must be 1 where Accept asks for the bytes of a picture');
  }
  return data;
}

/** `Accept: image/webp` is as good as `output_format`, where the body does not say otherwise. */
function withFormat(body: unknown, raw: string | undefined): unknown {
  const known = (OUTPUT_FORMATS as readonly (string | undefined)[]).includes(raw);
  if (!known || typeof body !== 'object' || body === null || 'output_format' in body) return body;
  return { ...body, output_format: raw };
}

/** The picture format that the first of `Accept` names; `*` for any picture; undefined for JSON. */
function rawFormat(accept: string | null): string | undefined {
  return accept
    ?.split(/[,;]/, 1)[0]
    ?.trim()
    .toLowerCase()
    .match(/^image\/(\S+)$/)?.[1];
}
