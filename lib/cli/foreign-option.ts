import { type Command, CommanderError } from 'commander';
import { knownElsewhere } from '../schemas/unknown-fields/describe-unknown-field.js';

/**
 * What an option is called here that other programs have, or why there is none. What is only misspelt commander finds itself.
 *
 * @param command that was asked for it
 * @returns undefined where no drawing was asked for, or nobody is known to have such an option
 */
export function foreignOption(error: unknown, command: Command | undefined): string | undefined {
  if (!(error instanceof CommanderError) || error.code !== 'commander.unknownOption') return undefined;
  const flag = /unknown option '(--?[\w-]+)/.exec(error.message)?.[1];
  const known = command?.options.flatMap(({ long }) => long ?? []) ?? [];
  if (flag === undefined || !known.includes('--steps')) return undefined;
  const said = knownElsewhere(flag, known);
  return said === undefined ? undefined : `sd-turbo: ${flag}: ${said}`;
}
