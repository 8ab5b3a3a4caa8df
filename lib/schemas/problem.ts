import { z } from 'zod';

/** An error on the wire, `application/problem+json`. Source: RFC 9457. */
export const problemSchema = z.strictObject({
  /** `about:blank` says that `title` is all there is to say of the kind. */
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  /** Which fields of the request are wrong, and why. */
  errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  request_id: z.string(),
});

export type Problem = z.infer<typeof problemSchema>;
