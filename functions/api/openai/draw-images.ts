import { drawNow } from '../../../lib/predictions/draw-now.js';
import { picturesOf } from '../../../lib/predictions/records/kept-pictures.js';
import type { GenerateAnswer } from '../../../lib/schemas/answer.js';
import { IMAGE_DEFAULTS } from '../../../lib/schemas/image-rules.js';
import type { OpenaiImageAnswer } from '../../../lib/schemas/openai/image-answer.js';
import { type OpenaiWish, QUALITY_STEPS } from '../../../lib/schemas/openai/image-request.js';
import { type DrawRequest, drawRequestSchema } from '../../../lib/schemas/request.js';
import { serverTiming } from '../../shared/server-timing.js';
import { decoderOf, type RouteContext } from '../api-props.js';
import { eventStream } from './event-stream.js';
import { parameterRefused } from './parameter-refused.js';
import { readSize } from './read-size.js';
import { unheededWishes } from './unheeded-wishes.js';

/** As long as the gateway permits: OpenAI's clients wait much longer than this. Milliseconds. */
const WAIT_MS = 25_000;

/**
 * Draws what OpenAI's client asks for.
 *
 * @param image to begin with, base64. @default noise alone
 */
export async function drawImages(
  asked: OpenaiWish,
  context: RouteContext,
  image?: string,
): Promise<Response> {
  const { props, request, requestId, caller } = context;
  const { services, telemetry } = props;
  const wanted = await toRequest(asked, context, image);
  const drawn = await drawNow(
    { request: wanted, caller, waitMs: WAIT_MS, requestId, signal: request.signal },
    services,
  );
  const answer = await toAnswer(asked, drawn.answer, drawn.id, context);
  telemetry.count('Requests', 'drawn');
  const headers = { 'server-timing': serverTiming(drawn.timings) };
  return asked.stream
    ? eventStream(answer, image === undefined, headers)
    : Response.json(answer, { headers });
}

async function toRequest(asked: OpenaiWish, { props }: RouteContext, image?: string): Promise<DrawRequest> {
  const { prompt, n, output_format, quality, stream, response_format } = asked;
  if (stream && response_format === 'url')
    throw parameterRefused('response_format', 'must be b64_json where stream is true');
  const size = await readSize(asked.size, props.services);
  const strength = ('strength' in asked && asked.strength) || IMAGE_DEFAULTS.strength;
  // Of the steps at least one has to be done.
  const least = image === undefined ? 1 : Math.max(IMAGE_DEFAULTS.num_steps, Math.ceil(1 / strength));
  return drawRequestSchema.parse({
    prompt,
    num_images: n ?? undefined,
    output_format: output_format ?? undefined,
    num_steps: Math.max(least, QUALITY_STEPS[quality ?? 'auto']),
    size,
    ...(image !== undefined && { image, strength }),
    ...decoderOf(props),
  });
}

async function toAnswer(
  asked: OpenaiWish,
  answer: GenerateAnswer,
  id: string,
  { props, baseUrl }: RouteContext,
): Promise<OpenaiImageAnswer> {
  const { store, links, clock } = props.services;
  const { output_format, num_steps, model, size, warnings = [] } = answer;
  const forms = formsOf(asked);
  const pictures = picturesOf(answer);
  const names = pictures.map(({ name }) => name);
  if (forms.url) await store.createPictures(id, pictures);
  const urls = forms.url ? (await links.make({ id, names }, baseUrl)).urls : [];
  const base64 = forms.b64_json ? (answer.results ?? [answer.result]) : [];
  const told = [...warnings, ...unheededWishes(asked)];
  return {
    created: Math.floor(clock.now() / 1000),
    data: names.map((_, index) => ({
      ...(base64[index] !== undefined && { b64_json: base64[index] }),
      ...(urls[index] !== undefined && { url: urls[index] }),
    })),
    model,
    background: 'opaque',
    output_format,
    quality: num_steps === 1 ? 'low' : num_steps < QUALITY_STEPS.high ? 'medium' : 'high',
    ...(size && { size: `${size.width}x${size.height}` }),
    ...(told.length > 0 && { warnings: told }),
  };
}

/** As OpenAI's own models answer where nothing is said; where nothing says which of them is meant, both ways. */
function formsOf({ response_format: said, model, stream }: OpenaiWish): { b64_json: boolean; url: boolean } {
  if (said) return { b64_json: said === 'b64_json', url: said === 'url' };
  const isUrlUnknown = Boolean(stream) || /^(gpt-|chatgpt-)/i.test(model ?? '');
  return { b64_json: true, url: !isUrlUnknown };
}
