import { expect, test } from 'vitest';
import { firstWords, modelCardSchema } from '../../lib/schemas/model-card.js';

const vocabulary = { objects: { boat: ['ship', 'yacht'], cat: [] }, sky: { night: ['moon'] } };
const card = { name: 'tiny-turbo.v2', vocabulary };
const words = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`w${at}`, []]));

test('a card, and what a later version says besides', () => {
  expect(modelCardSchema.parse({ ...card, licence: 'MIT' })).toEqual(card);
  expect(firstWords(vocabulary)).toEqual({ objects: ['boat', 'cat'], sky: ['night'] });
});

test.each([
  ['a name with a line break', { ...card, name: 'a\nb' }, 'name'],
  ['a name as of the hub', { ...card, name: 'stabilityai/sd-turbo' }, 'name'],
  ['no vocabulary', { name: 'x' }, 'vocabulary'],
  ['words in a list', { ...card, vocabulary: { objects: ['boat'] } }, 'vocabulary.objects'],
  ['a word without end', { ...card, vocabulary: { sky: { ['x'.repeat(65)]: [] } } }, 'vocabulary.sky'],
  ['too many words', { ...card, vocabulary: { sky: words(257) } }, 'vocabulary.sky'],
  ['too many groups', { ...card, vocabulary: words(33) }, 'vocabulary'],
])('refused: %s', (_, wrong, path) => {
  const issues = modelCardSchema.safeParse(wrong).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.')).join()).toContain(path);
});
