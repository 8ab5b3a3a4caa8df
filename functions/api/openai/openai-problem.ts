import type { OpenaiError } from '../../../lib/schemas/openai/image-answer.js';
import { openaiErrorType } from '../../../lib/schemas/problem.js';
import { headersOf, toProblem } from '../../shared/problem-response.js';
import type { RouteContext } from '../api-props.js';
import { retryAfter } from '../retry-after.js';
import { ParameterRefused } from './parameter-refused.js';

/** An error in OpenAI's shape. */
export async function openaiProblem(
  cause: unknown,
  requestId: string,
  props: RouteContext['props'],
): Promise<Response> {
  const { status, detail, errors } = toProblem(cause, requestId);
  const error: OpenaiError['error'] = {
    message: detail,
    type: openaiErrorType(status),
    param: errors?.[0]?.field ?? null,
    code: cause instanceof ParameterRefused ? cause.parameterCode : codeOf(status),
  };
  const headers = new Headers({ ...headersOf(cause), 'x-request-id': requestId });
  if (status === 503) headers.set('retry-after', await retryAfter(props.services));
  return Response.json({ error }, { status, headers });
}

function codeOf(status: number): string | null {
  if (status === 401) return 'invalid_api_key';
  return status === 503 ? 'model_not_ready' : null;
}
