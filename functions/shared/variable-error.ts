import type * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';

/** What is wrong with an environment variable, by its name; its value stays unsaid. */
export function variableError(issue: z.core.$ZodIssue | undefined, environment: NodeJS.ProcessEnv): AppError {
  const name = String(issue?.path[0]);
  const problem = environment[name] === undefined ? 'is not set' : `is malformed: ${issue?.message}`;
  return new AppError('INVALID_INPUT', `environment variable ${name} ${problem}`);
}
