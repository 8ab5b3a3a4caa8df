import fc from 'fast-check';
import { type Files, mutation } from './tokenizer-mutations.js';
import { CHECKPOINT, type Outcome, TOKENIZERS, tryCheckpoint, tryTokenizer } from './tokenizer-subjects.js';

const PROMPTS = [
  '',
  'the dog',
  '<cat> wow!!! <CAT>',
  'The <|endoftext|> 7 \u00e9\u{1f600}\u3042',
  'a'.repeat(300),
];

/** How often each outcome was met; were one never, nothing would have been tried. */
export type Tally = Record<Outcome, number>;

type Parameters = Pick<fc.Parameters, 'seed' | 'numRuns' | 'interruptAfterTimeLimit'>;

/** Mutated files of a tokenizer give a tokenizer with ids of its own, or an error that names a file. */
export function checkTokenizers(tally: Tally, parameters: Parameters) {
  const prompts = fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 2 });
  const layout = fc.nat(TOKENIZERS.length - 1);
  const property = fc.asyncProperty(layout, mutation, prompts, async (at, mutate, more) => {
    tally[await tryTokenizer(mutate(TOKENIZERS[at] as Files), [...PROMPTS, ...more])] += 1;
  });
  return fc.check(property, parameters);
}

/** The same for a checkpoint's configs, indices and headers: a plan, or an error that names the place. */
export function checkCheckpoints(tally: Tally, parameters: Parameters) {
  const property = fc.asyncProperty(mutation, async (mutate) => {
    tally[await tryCheckpoint(mutate(CHECKPOINT))] += 1;
  });
  return fc.check(property, parameters);
}
