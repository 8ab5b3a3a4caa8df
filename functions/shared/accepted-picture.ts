import { OUTPUT_FORMATS } from '../../lib/schemas/request.js';

/** The picture format that the first of `Accept` names; `*` for any picture; undefined for JSON. */
export function acceptedPicture(headers: Headers): string | undefined {
  return headers
    .get('accept')
    ?.split(/[,;]/, 1)[0]
    ?.trim()
    .toLowerCase()
    .match(/^image\/(\S+)$/)?.[1];
}

/** `Accept: image/webp` is as good as `output_format`, where the body does not say otherwise. */
export function withOutputFormat(body: unknown, accepted: string | undefined): unknown {
  const known = (OUTPUT_FORMATS as readonly (string | undefined)[]).includes(accepted);
  if (!known || typeof body !== 'object' || body === null || 'output_format' in body) return body;
  return { ...body, output_format: accepted };
}
