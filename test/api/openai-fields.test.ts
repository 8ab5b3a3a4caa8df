import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type OpenaiError, openaiErrorSchema } from '../../lib/schemas/openai/image-answer.js';
import { openaiImageRequestSchema } from '../../lib/schemas/openai/image-request.js';
import { ROOT } from '../support/reference.js';
import { badService } from './bad-service.js';

const { send, stop } = badService();
afterAll(stop);

/** The fields of OpenAI's request as its own package declares them, and of each the type as it is written. */
function declaredFields(): Map<string, string> {
  const types = readFileSync(join(ROOT, 'node_modules/openai/resources/images.d.ts'), 'utf8');
  const [, body = ''] = /^export interface ImageGenerateParamsBase \{\n([\s\S]*?)^\}/m.exec(types) ?? [];
  return new Map(
    [...body.matchAll(/^ {4}(\w+)\??: (.*);$/gm)].map(([, name, type]) => [name as string, type as string]),
  );
}

const fields = declaredFields();

/** Every value that a type has a name for. */
function valuesOf(type: string): unknown[] {
  const literals = [...type.matchAll(/'([^']*)'/g)].map(([, text]) => text);
  return [
    ...literals,
    ...(/\bnull\b/.test(type) ? [null] : []),
    ...(/\bboolean\b/.test(type) ? [true, false] : []),
  ];
}

/** What is taken of what the package has a name for, and of numbers: the rest is refused. */
const TAKEN: Record<string, unknown[]> = {
  background: ['opaque', 'auto', null],
  model: [null, 'dall-e-3', 'gpt-image-1', 'sd-turbo'],
  moderation: ['low', 'auto', null],
  n: [null, 1, 4],
  output_compression: [null, 100, 50, 0],
  output_format: ['png', 'jpeg', 'webp', null],
  partial_images: [null, 0, 1, 3],
  prompt: [],
  quality: ['standard', 'auto', 'hd', 'low', 'medium', 'high', null],
  response_format: ['b64_json', 'url', null],
  size: [
    ...['auto', '256x256', '512x512', '1024x1024', '1536x1024', '1024x1536', '1792x1024', '1024x1792'],
    null,
  ],
  stream: [null, false, true],
  style: ['vivid', 'natural', null],
  user: [null, ''],
};
const REFUSED: Record<string, unknown[]> = {
  background: ['transparent'],
  n: [0, 5, 10],
  output_compression: [-1, 101, 'much'],
  partial_images: [-1, 4, 1.5],
  quality: ['best', 1],
  response_format: ['URL', 'base64'],
  size: ['768x768', '1x1', '0512x512', '2048x2048', '99999x99999', '512', 512, 'large'],
  stream: ['true', 1],
  style: ['anime'],
};

const draw = (body: object) =>
  send('/v1/images/generations', { method: 'POST', body: JSON.stringify({ prompt: 'a tree', ...body }) });

test("the request's fields are those of the openai package", () => {
  expect(fields.get('prompt')).toBe('string');
  expect(fields.size).toBeGreaterThanOrEqual(14);
  expect(Object.keys(openaiImageRequestSchema.shape).sort()).toEqual([...fields.keys()].sort());
});

test('every value that the package names is one that is taken or refused below', () => {
  const named = Object.fromEntries([...fields].map(([name, type]) => [name, new Set(valuesOf(type))]));
  const known = Object.fromEntries(
    [...fields.keys()].map((name) => [name, new Set([...(TAKEN[name] ?? []), ...(REFUSED[name] ?? [])])]),
  );
  for (const name of fields.keys())
    expect(
      [...(named[name] ?? [])].filter((value) => !known[name]?.has(value)),
      name,
    ).toEqual([]);
});

describe('a field', () => {
  const cases = (table: Record<string, unknown[]>) =>
    Object.entries(table).flatMap(([name, values]) =>
      values.map((value): [string, unknown] => [name, value]),
    );

  test.each(cases(TAKEN))('%s: %j asks for nothing that there is not', async (name, value) => {
    expect((await draw({ [name]: value })).status).toBe(200);
  });

  test.each(cases(REFUSED))('%s: %j is refused in words that say what there is', async (name, value) => {
    const response = await draw({ [name]: value });
    expect(response.status).toBe(400);
    const { error } = openaiErrorSchema.parse(await response.json()) as OpenaiError;
    expect(error).toMatchObject({ param: name, type: 'invalid_request_error' });
    expect(error.message).toMatch(new RegExp(`^${name}: must be `));
  });

  test('that OpenAI has not either is refused as none', async () => {
    for (const [name, said] of [
      ['input_fidelity', 'is not a field here; the fields are prompt, n, size, '],
      ['mask', 'is not a field here; '],
      ['negative_prompt', 'SD-Turbo has none: '],
      ['num_images', 'is called n here; '],
      ['num_inference_steps', 'is not a field here; '],
      ['qualty', 'is not a field here: did you mean quality? '],
    ] as const) {
      const { error } = (await (await draw({ [name]: null })).json()) as OpenaiError;
      expect(error).toMatchObject({ param: name, message: expect.stringContaining(`${name}: ${said}`) });
    }
  });

  test('all that ask for nothing do so together', async () => {
    const nothing = Object.fromEntries([...fields.keys()].map((name) => [name, null]));
    expect((await draw({ ...nothing, prompt: 'a tree' })).status).toBe(200);
    const defaults = {
      quality: 'auto',
      style: 'vivid',
      stream: false,
      background: 'auto',
      moderation: 'auto',
    };
    expect((await draw({ ...defaults, output_compression: 100, partial_images: 0, user: 'me' })).status).toBe(
      200,
    );
  });
});
