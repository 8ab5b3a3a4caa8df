import { Token } from 'aws-cdk-lib';
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

/** A text that fits, or one that is known at the deploy alone: another resource's id. */
export function lateText(fits: RegExp | ((text: string) => boolean), error: string) {
  const isRight = fits instanceof RegExp ? (text: string) => fits.test(text) : fits;
  return z.string({ error }).refine((text) => Token.isUnresolved(text) || isRight(text), error);
}

/** Names separated by commas, or an array; each once, at least one. */
export function list(pattern: RegExp, error: string) {
  return listOf(z.string({ error }).regex(pattern, { error }), error);
}

/** Of texts, some of which may be known at the deploy alone. */
export function lateList(pattern: RegExp, error: string) {
  return listOf(lateText(pattern, error), error);
}

function listOf(item: z.ZodType<string>, error: string) {
  const parse = (text: string) => text.split(',').map((part) => part.trim());
  const unique = (items: readonly string[]) => new Set(items).size === items.length;
  return fromText(parse, z.array(item, { error }).min(1, { error }).refine(unique, 'has one twice'));
}

export function optionNames(schema: z.ZodObject): string {
  return Object.keys(schema.shape).join(', ');
}
