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
  if (error instanceof CommanderError) return isHelp(error) ? undefined : asLine(error.message);
  if (error instanceof AppError) return asLine(error.message);
  return `sd-turbo: unexpected ${error instanceof Error ? error.stack : error}`;
}

/** Help and version are shown by commander itself. */
function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0 || error.code === 'commander.help';
}

/** Messages quote names of files and tensors, which may hold line breaks and codes that steer a terminal. */
function asLine(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll(/\s*[\p{Cc}\u2028\u2029]+\s*/gu, ' ');
  return `sd-turbo: ${text}`;
}
