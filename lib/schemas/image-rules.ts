import type * as z from 'zod';
import type { GenerateRequest } from './request.js';

/** Half of two steps: the least with which a picture is changed and still to be seen. */
export const IMAGE_DEFAULTS = { num_steps: 2, strength: 0.5 };

/** What is left unsaid in a request with an `image` has other defaults than in one without. */
export function withImageDefaults(body: unknown): unknown {
  const hasImage = typeof body === 'object' && body !== null && 'image' in body && body.image !== undefined;
  return hasImage ? { ...IMAGE_DEFAULTS, ...body } : body;
}

/** What is wrong between the fields of a request whose fields are right. */
export function imageIssues(
  request: Pick<GenerateRequest, 'num_steps' | 'strength'> & { readonly image?: unknown },
): z.core.$ZodIssue[] {
  const { image, strength, num_steps: steps } = request;
  const wrong = (message: string): z.core.$ZodIssue[] => [
    { code: 'custom', path: ['strength'], message, input: strength },
  ];
  if (strength === undefined) return [];
  if (image === undefined) return wrong('goes with image');
  // As diffusers counts them.
  if (Math.floor(steps * strength) >= 1) return [];
  return wrong(`times num_steps must be at least 1 (it is ${IMAGE_DEFAULTS.strength} where it is left out)`);
}

/** The bytes of an `image` that its schema has accepted. */
export function imageBytes(image: string): Uint8Array {
  return Buffer.from(image, 'base64');
}
