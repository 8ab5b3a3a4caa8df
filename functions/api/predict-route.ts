import type { PredictOutcome } from '../../lib/predictions/delivery/delivery.js';
import { linkAnswer } from '../../lib/predictions/picture-links.js';
import { predict } from '../../lib/predictions/predict.js';
import { statusPath } from '../../lib/predictions/read-prediction.js';
import { predictRequestSchema } from '../../lib/schemas/request.js';
import { parseRequest } from '../shared/parse-request.js';
import { sendProblem } from '../shared/problem-response.js';
import { serverTiming } from '../shared/server-timing.js';
import { decoderOf, type RouteContext } from './api-props.js';
import { readIdempotencyKey } from './idempotency-key.js';
import { pictureResponse } from './picture-response.js';
import { preferenceApplied, readPrefer } from './prefer.js';
import { retryAfter } from './retry-after.js';

const DEFAULT_WAIT_SECONDS = 20;

/** `POST /predict`: 200 with the picture, or 202 with the place where it will be. */
export async function predictRoute(context: RouteContext): Promise<Response> {
  const { props, request, requestId, caller } = context;
  const prefer = readPrefer(request);
  const key = readIdempotencyKey(request.headers.get('idempotency-key'));
  const { wanted, raw } = await parseRequest(request, predictRequestSchema, decoderOf(props));
  const waitSeconds = prefer.respondAsync ? 0 : (prefer.waitSeconds ?? DEFAULT_WAIT_SECONDS);
  const outcome = await predict(
    {
      request: wanted,
      caller,
      ...(key === undefined ? {} : { key }),
      waitMs: waitSeconds * 1000,
      patient: prefer.waitSeconds !== undefined,
      requestId,
      signal: request.signal,
    },
    props.services,
  );
  const response = await respond(outcome, raw, context);
  const waited = outcome.kind !== 'accepted' || outcome.waited;
  const applied = preferenceApplied(waited ? prefer : { ...prefer, waitSeconds: undefined });
  if (applied) response.headers.set('preference-applied', applied);
  return response;
}

async function respond(outcome: PredictOutcome, raw: boolean, context: RouteContext): Promise<Response> {
  const { telemetry, services } = context.props;
  if (outcome.kind === 'failed') {
    telemetry.count('Requests', 'failed');
    const response = sendProblem(outcome.error, context.requestId);
    response.headers.set('idempotency-replayed', 'true');
    return response;
  }
  if (outcome.kind === 'accepted') {
    telemetry.count('Requests', 'accepted');
    const url = context.baseUrl + statusPath(outcome.id);
    const headers = { location: url, 'retry-after': await retryAfter(services) };
    return Response.json({ id: outcome.id, status: 'queued', status_url: url }, { status: 202, headers });
  }
  const { id, answer, timings, replayed } = outcome;
  telemetry.count('Requests', replayed ? 'replayed' : 'drawn');
  const linked = await linkAnswer(id, answer, services.links, context.baseUrl);
  const bytes = raw && 'result' in linked ? Buffer.from(linked.result, 'base64') : undefined;
  const response = bytes ? pictureResponse(linked, bytes) : Response.json(linked);
  if (Object.keys(timings).length > 0) response.headers.set('server-timing', serverTiming(timings));
  if (replayed) {
    response.headers.set('idempotency-replayed', 'true');
    response.headers.set('location', context.baseUrl + statusPath(id));
  }
  return response;
}
