import type * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';

/**
 * A custom resource's properties, checked.
 *
 * @throws AppError INVALID_INPUT that names the property
 */
export function parseProperties<T>(schema: z.ZodType<T>, properties: Readonly<Record<string, unknown>>): T {
  const { data, error } = schema.safeParse(properties);
  if (!error) return data;
  const issue = error.issues[0] as z.core.$ZodIssue;
  throw new AppError('INVALID_INPUT', `property ${issue.path.join('.')}: ${issue.message}`);
}
