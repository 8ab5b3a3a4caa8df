import type * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';
import { inspectPicture } from '../../lib/image/inspect-picture.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { imageBytes, imageIssues, withImageDefaults } from '../../lib/schemas/image-rules.js';
import type { GenerateRequest } from '../../lib/schemas/request.js';
import { negotiate, notAcceptable, openFormats } from './negotiate.js';
import { RequestRefused, refusal } from './problem-response.js';
import { readJsonBody } from './read-json-body.js';

/**
 * The request for pictures in a body, and whether its answer is to be the picture itself. `Accept` says its format
 * where the body does not.
 *
 * @param defaults of the fields that the body does not have, before the schema's own
 * @throws RequestRefused that names every wrong field; ProblemError
 */
export async function parseRequest<R extends GenerateRequest>(
  request: Request,
  schema: z.ZodType<R> & { readonly shape: object },
  defaults: object = {},
): Promise<{ wanted: R; raw: boolean }> {
  const given = await readJsonBody(request);
  const formats = openFormats(given);
  const accepted = negotiate(request.headers, formats);
  const raw = accepted !== undefined && accepted !== 'json';
  const assumed = { ...defaults, ...(raw && { output_format: accepted }) };
  const body = withImageDefaults({ ...assumed, ...given });
  const { data, error } = schema.safeParse(body);
  const issues = error
    ? error.issues
    : [...imageIssues(data), ...(data.image ? pictureIssues(imageBytes(data.image)) : [])];
  if (!data || issues.length > 0) throw new RequestRefused(issues, Object.keys(schema.shape));
  if (accepted !== undefined) return { wanted: data, raw };
  if (data.num_images === 1) throw notAcceptable(formats);
  throw refusal('num_images', 'must be 1 where Accept does not take application/json');
}

/** What can be told of a picture without unpacking it, before anything is accepted that could only fail. */
export function pictureIssues(bytes: Uint8Array): z.core.$ZodIssue[] {
  try {
    inspectPicture(bytes, REQUEST_LIMITS);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [{ code: 'custom', path: ['image'], message: error.message, input: undefined }];
  }
}
