import type * as z from 'zod';
import { withTypes } from './backend-options.js';
import { contradictions } from './contradictions.js';
import { optionNames } from './option-types.js';
import { type Config, optionsSchema } from './options-schema.js';

export type { Config } from './options-schema.js';

/** Plain names that CDK's command line keeps in the context. */
const CDK_OWN: ReadonlySet<string> = new Set(['cli-telemetry', 'acknowledged-issue-numbers']);

/**
 * The deploy's options, from `cdk.json`'s context and `-c name=value`. What CDK keeps there itself has a `:`, `/` or `@`
 * in its name, or is one of a few words; everything else is meant as an option.
 *
 * @throws Error with one line for each option that is unknown or wrong
 */
export function readConfig(context: Readonly<Record<string, unknown>>): Config {
  const given = Object.fromEntries(
    Object.entries(context).filter(([name]) => !/[:/@]/.test(name) && !CDK_OWN.has(name)),
  );
  const { data, error } = optionsSchema.safeParse(given);
  const config = data && (withTypes(data) as Config);
  const problems = error ? error.issues.flatMap(describe) : contradictions(config as Config, given);
  // A number may break several rules that have the same words.
  if (problems.length > 0) throw new Error(`wrong options:\n  ${[...new Set(problems)].join('\n  ')}`);
  return config as Config;
}

function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${String(issue.path[0])}: ${issue.message}`];
  return issue.keys.map((key) => `${key}: is no option; there are ${optionNames(optionsSchema)}`);
}
