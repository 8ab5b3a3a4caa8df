import { OUTPUT_FORMATS, type OutputFormat } from '../../lib/schemas/request.js';

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
export function acceptedFormat(accepted: string | undefined): { readonly output_format?: OutputFormat } {
  const output_format = OUTPUT_FORMATS.find((format) => format === accepted);
  return output_format === undefined ? {} : { output_format };
}
