import { Hono } from 'hono';
import type { ImageDecoder } from '../../lib/image/image-decoder.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import type { JobQueue } from '../../lib/runtime/job-queue.js';
import type { EndpointStatus } from '../../lib/schemas/endpoint-status.js';
import { log } from '../shared/log.js';
import { describeProblem, ProblemError, problemResponse } from '../shared/problem-response.js';
import { requestId } from '../shared/request-id.js';
import { invoke } from './invoke.js';
import type { ModelWatch } from './model-watch.js';

export interface EndpointAppProps {
  /** The loaded model; undefined while there is none. */
  readonly pipeline: () => TextToImage | undefined;
  readonly status: () => EndpointStatus;
  /** Of pictures to begin with. */
  readonly decoder: ImageDecoder;
  readonly queue: JobQueue;
  readonly watch: ModelWatch;
  readonly deadlineMilliseconds: number;
}

const NO_SUCH_PATH = 'no such path: POST /invocations draws a picture, and GET /ping says whether it can';

/** What is ours, or the model's. */
const LOGGED: ReadonlySet<number> = new Set([500, 502]);

/** The routes of SageMaker's container contract: `Request` in, `Response` out, no socket needed. */
export function endpointApp(props: EndpointAppProps): Hono {
  const app = new Hono();

  app.get('/ping', () => {
    const status = props.status();
    return Response.json(status, { status: status.state === 'ready' ? 200 : 503 });
  });

  app.post('/invocations', async ({ req }) => {
    const id = requestId(req.raw.headers);
    const started = performance.now();
    const signal = AbortSignal.any([req.raw.signal, AbortSignal.timeout(props.deadlineMilliseconds)]);
    const { pipeline, status, decoder, queue, watch } = props;
    const context = { pipeline: pipeline(), decoder, queue, watch, model: status().model ?? '', signal };
    const response = await invoke(req.raw, context).catch((error) => refuse(error, id, signal));
    response.headers.set('x-request-id', id);
    response.headers.set('vary', 'Accept');
    const milliseconds = Math.round(performance.now() - started);
    log('info', 'invocation', { request_id: id, status: response.status, milliseconds });
    return response;
  });

  app.all('/ping', ({ req }) => wrongMethod(req.raw, 'GET'));
  app.all('/invocations', ({ req }) => wrongMethod(req.raw, 'POST'));
  app.notFound(({ req }) => problemResponse(new ProblemError(404, NO_SUCH_PATH), requestId(req.raw.headers)));
  return app;
}

function refuse(error: unknown, id: string, signal: AbortSignal): Response {
  if (error instanceof ProblemError) return problemResponse(error, id);
  // Either no time is left for it, or there is nobody any more to read this.
  if (signal.aborted) return problemResponse(new ProblemError(503, 'no time was left for this request'), id);
  if (LOGGED.has(describeProblem(error).status)) {
    log('error', 'an invocation failed', {
      request_id: id,
      error: error instanceof Error ? error.stack : error,
    });
  }
  return problemResponse(error, id);
}

function wrongMethod(request: Request, allow: string): Response {
  const refusal = new ProblemError(405, `this path takes ${allow} only`, { allow });
  return problemResponse(refusal, requestId(request.headers));
}
