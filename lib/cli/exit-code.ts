import { CommanderError } from 'commander';
import { AppError } from '../errors/app-error.js';

export const EXIT_CODE = { done: 0, failed: 1, usage: 2 } as const;

/** What the process ends with after an error. */
export function exitCodeOf(error: unknown): number {
  // Commander reports a request for help as an error with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODE.done : EXIT_CODE.usage;
  if (error instanceof AppError && error.code === 'INVALID_INPUT') return EXIT_CODE.usage;
  return EXIT_CODE.failed;
}

/** What stderr says about an error: one line, or a stack trace where the fault is ours. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined; // it has spoken already
  if (error instanceof AppError) return `sd-turbo: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`;
  return `sd-turbo: unexpected ${error instanceof Error ? error.stack : error}`;
}
