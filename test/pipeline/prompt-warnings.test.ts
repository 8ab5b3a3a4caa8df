import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { promptWarnings } from '../../lib/pipeline/prompt-warnings.js';
import { DEMO_CARD } from '../support/demo-card.js';
import { blocks, papersOfTheHouse } from '../support/papers.js';
import { ROOT } from '../support/reference.js';

const DEMO = { name: DEMO_CARD.name, vocabulary: DEMO_CARD.vocabulary };

/** The words of the one warning that there is. */
function named(prompt: string): string[] {
  const warnings = promptWarnings(prompt, DEMO);
  expect(warnings.length).toBeLessThan(2);
  return [...(warnings[0] ?? '').matchAll(/"([^"]+)"/g)].map(([, word]) => word as string);
}

test('a warning says which model does not know what, and which does', () => {
  expect(promptWarnings('An astronaut riding a horse', DEMO)).toEqual([
    'sd-turbo-demo does not know the words "astronaut", "riding", "horse": what it draws is without. stabilityai/sd-turbo knows many more: --model hf:stabilityai/sd-turbo',
  ]);
  expect(promptWarnings('a dragon', DEMO)[0]).toContain('does not know the word "dragon": ');
});

test.each([
  ['A DRAGON by a Tree', ['DRAGON']],
  ['a dog, a Dog and DOGS', ['dog', 'DOGS']],
  ['two cats', ['two']],
  ['ein rotes Haus', ['ein', 'rotes', 'Haus']],
  ['一只猫 on the beach', ['一只猫']],
  ['a tree 🐉', ['🐉']],
  ["the cat's house, it's red", []],
  ['hot-air balloons and mushrooms', []],
  ['', []],
  ['!?', []],
] as const)('%j: %j', (prompt, words) => {
  expect(named(prompt)).toEqual(words);
});

test('many words are counted, long ones cut', () => {
  const words = Array.from({ length: 20 }, (_, index) => `word${index}`);
  const [warning] = promptWarnings(`${'x'.repeat(500)} ${words.join(' ')}`, DEMO);
  expect(warning).toContain(`"${'x'.repeat(24)}", "word0"`);
  expect(warning).toContain(' and 13 more: ');
  expect(warning?.length).toBeLessThan(600);
});

test('a model without a vocabulary is not warned of', () => {
  expect(promptWarnings('An astronaut', { name: 'someone/model@main', vocabulary: undefined })).toEqual([]);
});

describe('nothing is said of what the model was made of', () => {
  /** All ways in which the training data name a thing: `NOUN`, `SKYW`, `GRTAG` and their like in world.py. */
  const world = readFileSync(join(ROOT, 'lib/demo-model/world.py'), 'utf8');
  const tables = ['NOUN', 'COLWORD', 'SIZEWORD', 'SKYW', 'SKYTAG', 'GRW', 'GRTAG', 'WEW', 'WETAG'];
  test.each(tables)('%s', (table) => {
    const [, body = ''] = new RegExp(`^${table} = (\\{[\\s\\S]*?\\})\\n`, 'm').exec(world) ?? [];
    const phrases = [...body.matchAll(/"([^"]+)"(?!:)/g)].map(([, phrase]) => phrase as string);
    expect(phrases.length).toBeGreaterThan(3);
    for (const phrase of phrases) expect([phrase, named(phrase)]).toEqual([phrase, []]);
  });

  test('of the prompts that the papers and the page have', () => {
    const commands = papersOfTheHouse()
      .flatMap((file) => blocks(file, 'sh'))
      .join('\n');
    const page = readFileSync(join(ROOT, 'functions/playground/page.html'), 'utf8');
    const prompts = [
      ...[...commands.matchAll(/sd-turbo generate "([^"]+)"/g)].map(([, prompt]) => prompt as string),
      ...[...page.matchAll(/<li><button type="button">([^<]+)</g)].map(([, prompt]) => prompt as string),
    ];
    expect(prompts.length).toBeGreaterThan(8);
    for (const prompt of prompts) expect([prompt, named(prompt)]).toEqual([prompt, []]);
  });
});
