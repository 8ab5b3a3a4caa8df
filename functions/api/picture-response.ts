import type { GenerateAnswer } from '../../lib/schemas/answer.js';
import { warningsHeader } from '../shared/warnings-header.js';

/** The bytes of the first picture. */
export function pictureResponse({ result, output_format, seed, warnings }: GenerateAnswer): Response {
  const headers = {
    'content-type': `image/${output_format}`,
    'x-seed': String(seed),
    ...warningsHeader(warnings),
  };
  return new Response(Buffer.from(result, 'base64'), { headers });
}
