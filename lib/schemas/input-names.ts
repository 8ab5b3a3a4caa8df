import { describeWithAll } from './unknown-fields/describe-unknown-field.js';

/** What each field of a request is called in programs: camelCase, as short as the command's options. */
export const WIRE_NAMES = {
  prompt: 'prompt',
  steps: 'num_steps',
  seed: 'seed',
  numImages: 'num_images',
  format: 'output_format',
  decoder: 'decoder',
  image: 'image',
  strength: 'strength',
} as const;

/** Besides them, what is a service's affair and no pipeline's. */
export const SERVICE_NAMES = { webhook: 'webhook', responseFormat: 'response_format' } as const;

const ALL_NAMES = { ...WIRE_NAMES, ...SERVICE_NAMES };

/** What a field of a program's input is called on the wire. */
export function wireName(name: string): string {
  return Object.hasOwn(ALL_NAMES, name) ? ALL_NAMES[name as keyof typeof ALL_NAMES] : name;
}

/** What a field of the wire is called in a program's input. */
export function inputName(wireName: string): string {
  return Object.entries(ALL_NAMES).find(([, name]) => name === wireName)?.[0] ?? wireName;
}

/**
 * What is wrong with an input as a whole, or the first field of it that there is not: what is misspelt would be left out in
 * silence.
 *
 * @param more fields than those of a picture
 */
export function inputProblem(input: unknown, more: readonly string[] = []): string | undefined {
  if (typeof input !== 'object' || input === null)
    return "the input must be an object such as { prompt: 'a tree' }";
  const known: readonly string[] = [...Object.keys(WIRE_NAMES), ...more];
  const name = Object.keys(input).find((each) => !known.includes(each));
  return name === undefined ? undefined : `${name}: ${describeWithAll(name, known)}`;
}
