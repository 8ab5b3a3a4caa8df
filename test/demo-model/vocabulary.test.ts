import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { firstWords, MODEL_CARD } from '../../lib/schemas/model-card.js';
import { DEMO_CARD } from '../support/demo-card.js';
import { ROOT } from '../support/reference.js';

const read = (file: string) => readFileSync(join(ROOT, 'lib/demo-model', file), 'utf8');
const { name, vocabulary } = DEMO_CARD;

/** In which tables of world.py the prompts that the model was trained on have each group: words, and phrases with them. */
const TABLES = {
  objects: ['NOUN'],
  colours: ['COLWORD'],
  size: ['SIZEWORD'],
  sky: ['SKYTAG', 'SKYW'],
  ground: ['GRTAG', 'GRW'],
  weather: ['WETAG', 'WEW'],
};

/** A table of world.py: a dict of lists of texts, which but for its last comma is JSON. */
function table(name: string): Record<string, string[]> {
  const [, text] = new RegExp(`^${name} = (\\{[^}]*\\})`, 'm').exec(read('world.py')) ?? [];
  if (text === undefined) throw new Error(`world.py has no table ${name}`);
  return JSON.parse(text.replace(/,\s*\}$/, '}'));
}

/** "under a starry sky" is about a starry sky, but "by the sea" is not about the sea. */
function subject(phrase: string): string {
  if (/^by the (sea|ocean)$/.test(phrase)) return phrase;
  return phrase
    .replace(
      /^((in|on|at|under|by|with|over|above|among|below|near|during|while|front of|it|a|an|the) )+/,
      '',
    )
    .replace(/ (in the background|behind)$/, '');
}

test.each(Object.entries(TABLES))('the %s of the card are those of %s in world.py', (group, names) => {
  const expected = new Map<string, Set<string>>();
  for (const [thing, phrases] of names.flatMap((name) => Object.entries(table(name))))
    expected.set(thing, new Set([...(expected.get(thing) ?? []), thing, ...phrases.map(subject)]));
  const told = Object.entries(vocabulary[group] ?? {});
  expect(told.map(([thing]) => thing)).toEqual([...expected.keys()]);
  for (const [thing, others] of told)
    expect([thing, ...others].toSorted(), thing).toEqual([...(expected.get(thing) ?? [])].toSorted());
});

test('the card has these groups only, and the README of the model its words', () => {
  expect(Object.keys(vocabulary)).toEqual(Object.keys(TABLES));
  for (const [group, words] of Object.entries(firstWords(vocabulary))) {
    const [, row = ''] = new RegExp(`^\\| ${group} \\| (.*) \\|$`, 'm').exec(read('README.md')) ?? [];
    const missing = words.filter((word) => !new RegExp(`\\b${word}\\b`).test(row));
    expect(missing, group).toEqual([]);
    const told = row.replace(/ \([^)]*\)/g, '').split(/, | \/ | with | and /);
    const known = Object.entries(vocabulary[group] ?? {}).flat(2);
    expect(
      told.filter((word) => !known.includes(word)),
      group,
    ).toEqual([]);
  }
});

test('a bundle has its vocabulary, and an older one none', async () => {
  const folder = join(ROOT, 'lib/demo-model/bundle');
  const demo = await openBundle(folder);
  expect([demo.name, demo.vocabulary]).toEqual([name, vocabulary]);
  const older = mkdtempSync(join(tmpdir(), 'older-'));
  onTestFinished(() => rmSync(older, { recursive: true }));
  cpSync(folder, older, { recursive: true, filter: (path) => !path.endsWith(MODEL_CARD) });
  expect((await openBundle(older)).vocabulary).toBeUndefined();
});
