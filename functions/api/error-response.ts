import { problemResponse } from '../shared/problem-response.js';
import type { ApiProps } from './api-props.js';
import { openaiProblem } from './openai/openai-problem.js';

/** An error in the shape that whoever asks for a path reads: OpenAI's below `/v1`, else the service's own. */
export async function errorResponse(
  error: unknown,
  path: string,
  requestId: string,
  props: ApiProps,
): Promise<Response> {
  const isOpenai = path.startsWith('/v1/');
  return isOpenai ? openaiProblem(error, requestId, props) : problemResponse(error, requestId);
}
