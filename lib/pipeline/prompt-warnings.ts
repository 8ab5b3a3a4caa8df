import type { Vocabulary } from '../schemas/model-card.js';
import type { Bundle } from './bundle.js';

/** The model that draws what others do not know, and how it is asked for at home. */
const GENERAL_MODEL = 'stabilityai/sd-turbo knows many more: --model hf:stabilityai/sd-turbo';

/** What joins other words, and is no thing that could be missing in a picture. */
const JOINING: ReadonlySet<string> = new Set(
  (
    'a above across after all along also among an and are around as at background be before behind being below beneath ' +
    'beside between but by during each for foreground from front has have having her his in inside into is it its just ' +
    'middle my near next no not of off on one onto or our out outside over side so some that the their there these this ' +
    'those through to together top toward towards under up upon very was were where which while with within without'
  ).split(' '),
);

/** Letters with their marks and digits, or one pictograph. */
const WORD = /[\p{L}\p{M}\p{N}]+|\p{Extended_Pictographic}/gu;

/** Named in a warning, which travels in a header, too. */
const MAX_NAMED = 8;
/** Of a word that is named: languages without spaces have long ones. Characters. */
const MAX_WORD = 24;

/**
 * What a person should know of a picture besides that it is there: which words of the prompt its model has never seen.
 *
 * @returns sentences; none where the model knows more words than can be listed
 */
export function promptWarnings(
  prompt: string,
  { name, vocabulary }: Pick<Bundle, 'name' | 'vocabulary'>,
): string[] {
  if (!vocabulary) return [];
  const unknown = unknownWords(prompt, vocabulary);
  if (unknown.length === 0) return [];
  const named = unknown.slice(0, MAX_NAMED).map((word) => `"${[...word].slice(0, MAX_WORD).join('')}"`);
  const more = unknown.length > MAX_NAMED ? ` and ${unknown.length - MAX_NAMED} more` : '';
  const words = unknown.length === 1 ? 'the word' : 'the words';
  return [
    `${name} does not know ${words} ${named.join(', ')}${more}: what it draws is without. ${GENERAL_MODEL}`,
  ];
}

/** Each once, as it is first written. A word is known where any part of the vocabulary has it, or its singular. */
function unknownWords(prompt: string, vocabulary: Vocabulary): string[] {
  const known = new Set(Object.values(vocabulary).flatMap(wordsOf).flatMap(split));
  const unknown = new Map<string, string>();
  for (const word of prompt.match(WORD) ?? []) {
    const lower = word.toLowerCase();
    const forms = [lower, lower.replace(/s$/, ''), lower.replace(/es$/, '')];
    if (JOINING.has(lower) || forms.some((form) => known.has(form)) || unknown.has(lower)) continue;
    // What is left of "it's" and "tree's".
    if (lower !== 's') unknown.set(lower, word);
  }
  return [...unknown.values()];
}

function wordsOf(things: Vocabulary[string]): string[] {
  return Object.entries(things).flatMap(([word, others]) => [word, ...others]);
}

function split(words: string): string[] {
  return words.toLowerCase().match(WORD) ?? [];
}
