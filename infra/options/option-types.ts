import * as z from 'zod';

/** What git allows in a name, less the rest. */
export const COMMIT = /^[A-Za-z0-9][\w.+-]{0,199}$/;

/** `-c name=value` gives texts, `cdk.json` what JSON has. */
function fromText<T extends z.ZodType>(parse: (text: string) => unknown, type: T) {
  return z.preprocess((value) => (typeof value === 'string' ? parse(value) : value), type);
}

export function integer(min: number, max: number) {
  const error = `must be an integer from ${min} to ${max}`;
  const parse = (text: string) => (/^\d{1,12}$/.test(text) ? Number(text) : text);
  return fromText(parse, z.int({ error }).min(min, { error }).max(max, { error }));
}

/** Dollars. */
export function money(min: number, max: number) {
  const error = `must be dollars from ${min} to ${max}`;
  const parse = (text: string) => (/^\d{1,9}(\.\d{1,2})?$/.test(text) ? Number(text) : text);
  return fromText(parse, z.number({ error }).min(min, { error }).max(max, { error }));
}

export function boolean() {
  const parse = (text: string) => ({ true: true, false: false })[text] ?? text;
  return fromText(parse, z.boolean({ error: 'must be true or false' }));
}

/** Names separated by commas, or an array; each once, at least one. */
export function list(pattern: RegExp, error: string) {
  const parse = (text: string) => text.split(',').map((item) => item.trim());
  const unique = (items: readonly string[]) => new Set(items).size === items.length;
  return fromText(
    parse,
    z
      .array(z.string({ error }).regex(pattern, { error }), { error })
      .min(1, { error })
      .refine(unique, 'has one twice'),
  );
}

export function optionNames(schema: z.ZodObject): string {
  return Object.keys(schema.shape).join(', ');
}
