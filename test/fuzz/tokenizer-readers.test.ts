import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkCheckpoints, checkTokenizers, type Tally } from './tokenizer-properties.js';
import { CHECKPOINT, TOKENIZERS, tryCheckpoint, tryTokenizer } from './tokenizer-subjects.js';

/** The same every time, so that a failure is the change's; `tokenizer-run.ts` looks further. */
const SEED = 13;

it('the files that are mutated are right', async () => {
  for (const files of TOKENIZERS) expect(await tryTokenizer(files, ['the dog'])).toBe('accepted');
  expect(await tryCheckpoint(CHECKPOINT)).toBe('accepted');
});

it.each([
  ['a tokenizer', checkTokenizers, 600],
  ['a checkpoint', checkCheckpoints, 200],
])('%s with mutated files works or says which file is wrong', async (_, check, numRuns) => {
  const tally: Tally = { accepted: 0, refused: 0 };
  const details = await check(tally, { seed: SEED, numRuns });
  expect(details.failed, fc.defaultReportMessage(details as fc.RunDetails<unknown>)).toBe(false);
  expect(Math.min(tally.accepted, tally.refused), JSON.stringify(tally)).toBeGreaterThan(numRuns / 20);
});
