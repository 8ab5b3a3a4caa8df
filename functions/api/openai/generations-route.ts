import { openaiImageRequestSchema } from '../../../lib/schemas/openai/image-request.js';
import { readJsonBody } from '../../shared/read-json-body.js';
import type { RouteContext } from '../api-props.js';
import { drawImages } from './draw-images.js';
import { parseParameters } from './parameter-refused.js';

/** `POST /v1/images/generations`: OpenAI's image API. Cold is 503 with `Retry-After`, which its clients follow. */
export async function generationsRoute(context: RouteContext): Promise<Response> {
  const asked = parseParameters(openaiImageRequestSchema, await readJsonBody(context.request));
  return drawImages(asked, context);
}
