import { drawNow } from '../../lib/predictions/draw-now.js';
import {
  type OpenaiError,
  type OpenaiImageAnswer,
  openaiImageRequestSchema,
} from '../../lib/schemas/openai.js';
import { generateRequestSchema } from '../../lib/schemas/request.js';
import { headersOf, RequestRefused, toProblem } from '../shared/problem-response.js';
import { readJsonBody } from '../shared/read-json-body.js';
import { serverTiming } from '../shared/server-timing.js';
import { decoderOf, type RouteContext } from './api-props.js';
import { retryAfter } from './retry-after.js';

/** As long as the gateway permits: OpenAI's clients wait much longer than this. Milliseconds. */
const WAIT_MS = 25_000;

/** `POST /v1/images/generations`: OpenAI's image API. Cold is 503 with `Retry-After`, which its clients follow. */
export async function openaiRoute(context: RouteContext): Promise<Response> {
  const { props, request, requestId, caller } = context;
  const { data, error } = openaiImageRequestSchema.safeParse(await readJsonBody(request));
  if (error) throw new RequestRefused(error.issues, Object.keys(openaiImageRequestSchema.shape));
  const { prompt, n, output_format } = data;
  const wanted = generateRequestSchema.parse({
    prompt,
    num_images: n ?? undefined,
    output_format: output_format ?? undefined,
    ...decoderOf(props),
  });
  const drawn = await drawNow(
    { request: wanted, caller, waitMs: WAIT_MS, requestId, signal: request.signal },
    props.services,
  );
  props.telemetry.count('Requests', 'drawn');
  const { result, results } = drawn.answer;
  const answer: OpenaiImageAnswer = {
    created: Math.floor(props.services.clock.now() / 1000),
    data: (results ?? [result]).map((b64_json) => ({ b64_json })),
    output_format: wanted.output_format,
    size: '512x512',
  };
  return Response.json(answer, { headers: { 'server-timing': serverTiming(drawn.timings) } });
}

/** An error in OpenAI's shape. */
export async function openaiProblem(
  cause: unknown,
  requestId: string,
  props: RouteContext['props'],
): Promise<Response> {
  const { status, detail, errors } = toProblem(cause, requestId);
  const error: OpenaiError['error'] = {
    message: detail,
    type: openaiType(status),
    param: errors?.[0]?.field ?? null,
    code: status === 503 ? 'model_not_ready' : null,
  };
  const headers = new Headers({ ...headersOf(cause), 'x-request-id': requestId });
  if (status === 503) headers.set('retry-after', await retryAfter(props.services));
  return Response.json({ error }, { status, headers });
}

function openaiType(status: number): OpenaiError['error']['type'] {
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
