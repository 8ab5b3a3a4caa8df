import type { GenerateAnswer } from '../../lib/schemas/answer.js';

/** The bytes of the first picture. */
export function pictureResponse({ result, output_format, seed }: GenerateAnswer): Response {
  const headers = { 'content-type': `image/${output_format}`, 'x-seed': String(seed) };
  return new Response(Buffer.from(result, 'base64'), { headers });
}
