import * as z from 'zod';

/** An error as OpenAI's clients read it. Source: OpenAI API, "Error codes". */
export const openaiErrorBodySchema = z.strictObject({
  message: z.string(),
  type: z.enum(['invalid_request_error', 'authentication_error', 'rate_limit_error', 'server_error']),
  param: z.string().nullable().describe('The first field that is wrong.'),
  code: z.string().nullable(),
});

export type OpenaiErrorBody = z.infer<typeof openaiErrorBodySchema>;

/** OpenAI's word for errors with a status of HTTP. */
export function openaiErrorType(status: number): OpenaiErrorBody['type'] {
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** An error on the wire, `application/problem+json`. Source: RFC 9457. */
export const problemSchema = z.strictObject({
  type: z.string().describe('`about:blank`: `title` is all there is to say of the kind.'),
  title: z.string().describe("The status' name."),
  status: z.int().min(400).max(599),
  detail: z.string().describe('What is wrong, in words.'),
  errors: z
    .array(z.strictObject({ field: z.string(), message: z.string() }))
    .optional()
    .describe('Which fields of the request are wrong, and why.'),
  request_id: z.string().describe('Also in the header `x-request-id`, and in the log.'),
  error: openaiErrorBodySchema
    .optional()
    .describe(
      "The same for OpenAI's clients, where the gateway answers, which does not know whose path it was.",
    ),
});

export type Problem = z.infer<typeof problemSchema>;
