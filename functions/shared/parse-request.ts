import type * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';
import { inspectPicture } from '../../lib/image/inspect-picture.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { imageBytes, imageIssues, withImageDefaults } from '../../lib/schemas/image-rules.js';
import type { GenerateRequest } from '../../lib/schemas/request.js';
import { isJsonObject } from '../../lib/weights/parse-json-object.js';
import { acceptedFormat, acceptedPicture } from './accepted-picture.js';
import { RequestRefused } from './problem-response.js';
import { readJsonBody } from './read-json-body.js';

/**
 * The request for pictures in a body, and whether its answer is to be the picture itself.
 *
 * @param defaults of the fields that the body does not have, before the schema's own
 * @throws RequestRefused that names every wrong field; ProblemError
 */
export async function parseRequest<R extends GenerateRequest>(
  request: Request,
  schema: z.ZodType<R>,
  defaults: object = {},
): Promise<{ wanted: R; raw: boolean }> {
  const accepted = acceptedPicture(request.headers);
  const given = await readJsonBody(request);
  const assumed = { ...defaults, ...acceptedFormat(accepted) };
  // What is no object is the schema's to refuse.
  const body = withImageDefaults(isJsonObject(given) ? { ...assumed, ...given } : given);
  const { data, error } = schema.safeParse(body);
  const issues = error ? error.issues : [...imageIssues(data), ...pictureIssues(data)];
  if (!data || issues.length > 0) throw new RequestRefused(issues);
  const raw = accepted !== undefined;
  if (raw && data.num_images > 1) {
    const message = 'must be 1 where Accept asks for the bytes of a picture';
    throw new RequestRefused([{ code: 'custom', path: ['num_images'], message, input: data.num_images }]);
  }
  return { wanted: data, raw };
}

/** What can be told of a picture without unpacking it, before anything is accepted that could only fail. */
function pictureIssues({ image }: GenerateRequest): z.core.$ZodIssue[] {
  if (image === undefined) return [];
  try {
    inspectPicture(imageBytes(image), REQUEST_LIMITS);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [{ code: 'custom', path: ['image'], message: error.message, input: undefined }];
  }
}
