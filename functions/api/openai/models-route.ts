import type { OpenaiModel } from '../../../lib/schemas/openai/image-answer.js';
import { ProblemError } from '../../shared/problem-response.js';
import type { ApiProps, RouteContext } from '../api-props.js';

/** While a model sleeps and nobody knows what it is called. */
const UNKNOWN = 'sd-turbo';
const NOBODY = 'unknown';
/** Longest name that is repeated to whoever has sent it. Characters. */
const MAX_SHOWN = 80;

/** `GET /v1/models`: the one that there is. */
export async function modelsRoute({ props }: RouteContext): Promise<Response> {
  return Response.json({ object: 'list', data: [await modelOf(props)] });
}

/** `GET /v1/models/{id}` */
export async function modelRoute(id: string, { props }: RouteContext): Promise<Response> {
  const model = await modelOf(props);
  if (id === model.id) return Response.json(model);
  const shown = id.slice(0, MAX_SHOWN);
  throw new ProblemError(404, `there is no model ${shown}, only ${model.id}; it draws whichever is named`);
}

/** `owner/name@commit` of Hugging Face: what has a slash in it would be another path. */
async function modelOf({ services }: ApiProps): Promise<OpenaiModel> {
  const { model = UNKNOWN } = await services.waker.health();
  const [, owner = NOBODY, id = model] = /^(?:([^/]+)\/)?([^/@]+)(?:@.*)?$/.exec(model) ?? [];
  return { id, object: 'model', created: 0, owned_by: owner };
}
