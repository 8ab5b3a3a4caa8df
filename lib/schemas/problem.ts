import * as z from 'zod';

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
});

export type Problem = z.infer<typeof problemSchema>;
