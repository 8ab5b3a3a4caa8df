import { cancelPrediction } from '../../lib/predictions/cancel-prediction.js';
import { listPredictions } from '../../lib/predictions/list-predictions.js';
import { listQuerySchema } from '../../lib/schemas/predictions/prediction-list.js';
import { RequestRefused } from '../shared/problem-response.js';
import type { RouteContext } from './api-props.js';
import { checkPredictionId } from './prediction-route.js';

/** `GET /predictions`: what the caller has asked for, newest first, a page at a time. */
export async function listRoute({ props, request, caller, baseUrl }: RouteContext): Promise<Response> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  const { data, error } = listQuerySchema.safeParse(query);
  if (error) throw new RequestRefused(error.issues);
  const { predictions, ...rest } = await listPredictions(
    { caller, limit: data.limit, after: data.cursor },
    props.services,
  );
  const found = predictions.map((each) => ({ ...each, status_url: baseUrl + each.status_url }));
  return Response.json({ predictions: found, ...rest }, { headers: { 'cache-control': 'no-store' } });
}

/** `DELETE /predictions/{id}`: it is not drawn, or 409 where somebody draws it already. */
export async function cancelRoute(id: string, { props, caller }: RouteContext): Promise<Response> {
  checkPredictionId(id);
  return Response.json(await cancelPrediction({ id, caller }, props.services));
}
