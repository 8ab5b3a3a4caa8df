import type * as z from 'zod';
import { withTypes } from './backend-options.js';
import { contradictions } from './contradictions.js';
import { optionNames } from './option-types.js';
import { type Config, optionsSchema } from './options-schema.js';
import type { Problem } from './problem.js';
import { readWarmHours } from './warm-hours.js';

export type { Config } from './options-schema.js';

/** Plain names that CDK's command line keeps in the context. */
const CDK_OWN: ReadonlySet<string> = new Set(['cli-telemetry', 'acknowledged-issue-numbers']);

/** What is said of options that cannot be taken begins with this. */
export const WRONG_OPTIONS = 'wrong options';

type Given = Readonly<Record<string, unknown>>;

/**
 * The deploy's options, from `cdk.json`'s context and `-c name=value`. What CDK keeps there itself has a `:`, `/` or `@`
 * in its name, or is one of a few words; everything else is meant as an option.
 */
export function givenOptions(context: Given): Given {
  return Object.fromEntries(
    Object.entries(context).filter(([name]) => !/[:/@]/.test(name) && !CDK_OWN.has(name)),
  );
}

/** @throws Error with one line for each option that is unknown or wrong */
export function readConfig(context: Given): Config {
  const { config, problems } = checkOptions(givenOptions(context));
  if (config === undefined) throw new Error(`${WRONG_OPTIONS}:\n  ${problems.join('\n  ')}`);
  return config;
}

/**
 * @param nameOf what an option is called by who has given it
 * @returns what is made of the options, or what is wrong with them: a line for each
 */
export function checkOptions(
  given: Given,
  nameOf: (option: string) => string = (option) => option,
): { config: Config; problems?: never } | { config?: never; problems: string[] } {
  const { data, error } = optionsSchema.safeParse(given);
  const config = data && complete(data);
  const problems = error ? error.issues.flatMap(describe) : contradictions(config as Config, given);
  if (config !== undefined && problems.length === 0) return { config };
  const lines = problems.map(
    ([option, text]) => `${nameOf(option)}: ${text.replaceAll(/\{(\w+)\}/g, (_, name) => nameOf(name))}`,
  );
  // A number may break several rules that have the same words.
  return { problems: [...new Set(lines)] };
}

function complete({ warmHours, ...data }: z.output<typeof optionsSchema>): Config {
  const hours = warmHours === undefined ? undefined : readWarmHours(warmHours);
  const keepWeights = data.keepWeights ?? data.removalPolicy === 'retain';
  return { ...withTypes({ ...data, keepWeights }), ...(hours && { warmHours: hours }) };
}

function describe(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== 'unrecognized_keys') return [[String(issue.path[0]), issue.message]];
  return issue.keys.map((key) => [key, `is no option; there are ${optionNames(optionsSchema)}`]);
}
