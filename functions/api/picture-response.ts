import type { GenerateAnswer } from '../../lib/schemas/answer.js';
import { warningsHeader } from '../shared/warnings-header.js';

/** What is told of a picture beside its bytes. */
type About = Pick<GenerateAnswer, 'output_format' | 'seed' | 'warnings'>;

/** The bytes of the first picture. */
export function pictureResponse({ output_format, seed, warnings }: About, bytes: Uint8Array): Response {
  const headers = {
    'content-type': `image/${output_format}`,
    'x-seed': String(seed),
    ...warningsHeader(warnings),
  };
  return new Response(Uint8Array.from(bytes), { headers });
}
