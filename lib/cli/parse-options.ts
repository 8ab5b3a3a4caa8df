import type * as z from 'zod';
import { AppError } from '../errors/app-error.js';

/**
 * Checks options against a schema whose keys are API fields.
 *
 * @param flags what a field is called on the command line
 * @throws AppError INVALID_INPUT that names the flag
 */
export function parseOptions<S extends z.ZodType>(
  schema: S,
  values: unknown,
  flags: Readonly<Record<string, string>>,
): z.infer<S> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const field = String(issue.path[0] ?? '');
  throw new AppError('INVALID_INPUT', `${flags[field] ?? field} ${issue.message}`);
}
