import { AppError } from '../../lib/errors/app-error.js';
import { readPrediction, statusPath, wasCanceled } from '../../lib/predictions/read-prediction.js';
import { pictureName } from '../../lib/predictions/records/kept-pictures.js';
import { type Prediction, predictionIdSchema } from '../../lib/schemas/prediction.js';
import { OUTPUT_FORMATS } from '../../lib/schemas/request.js';
import { negotiate, notAcceptable } from '../shared/negotiate.js';
import { sendProblem } from '../shared/problem-response.js';
import { serverTiming } from '../shared/server-timing.js';
import type { RouteContext } from './api-props.js';
import { pictureResponse } from './picture-response.js';
import { preferenceApplied, readPrefer } from './prefer.js';
import { retryAfter } from './retry-after.js';

/** `GET /predictions/{id}`: the prediction, waited for with `Prefer: wait=N`; its picture where `Accept` asks for it. */
export async function predictionRoute(id: string, context: RouteContext): Promise<Response> {
  const { props, request, requestId, caller, baseUrl } = context;
  checkPredictionId(id);
  const prefer = readPrefer(request);
  const waitMs = (prefer.waitSeconds ?? 0) * 1000;
  const { signal } = request;
  const prediction = await readPrediction({ id, caller, baseUrl, waitMs, signal }, props.services);
  const formats = prediction.status === 'succeeded' ? [prediction.output_format] : OUTPUT_FORMATS;
  const accepted = negotiate(request.headers, formats);
  if (prediction.status === 'failed' && accepted !== 'json') return sendProblem(prediction.error, requestId);
  if (prediction.status === 'canceled' && accepted !== 'json') throw wasCanceled();
  if (prediction.status === 'succeeded' && accepted === undefined) throw notAcceptable(formats);
  const status_url = baseUrl + statusPath(id);
  const response =
    prediction.status === 'succeeded' && accepted !== 'json'
      ? pictureResponse(prediction, await firstPicture(prediction, context))
      : Response.json(prediction.status === 'queued' ? { ...prediction, status_url } : prediction);
  const { headers } = response;
  const applied = preferenceApplied(prefer);
  if (applied) headers.set('preference-applied', applied);
  if (prediction.status === 'queued') headers.set('retry-after', await retryAfter(props.services));
  if (prediction.status === 'succeeded') headers.set('server-timing', serverTiming(prediction.timings));
  return response;
}

/** @throws AppError NOT_FOUND for what is no id: it reaches no store */
export function checkPredictionId(id: string): void {
  if (predictionIdSchema.safeParse(id).success) return;
  throw new AppError('NOT_FOUND', 'there is no such prediction');
}

/** @throws AppError UNAVAILABLE; GONE where its file is there no more */
async function firstPicture(
  prediction: Extract<Prediction, { status: 'succeeded' }>,
  { props }: RouteContext,
): Promise<Uint8Array> {
  if ('result' in prediction) return Buffer.from(prediction.result, 'base64');
  const name = pictureName(0, prediction.output_format);
  const bytes = await props.services.store.readPicture(prediction.id, name);
  if (!bytes) throw new AppError('GONE', 'the picture of this prediction has been deleted');
  return bytes;
}
