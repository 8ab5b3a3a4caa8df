import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocks, papersOfTheHouse } from '../support/papers.js';
import { ROOT } from '../support/reference.js';

/** These TypeScript blocks of the papers are files here, which the type checker and the tests know. */
const SNIPPETS = ['receive-webhook.ts'];
/** The others are run: tour.test.ts. */
const IS_RUN = /createClient|new OpenAI|openPipeline/;

test('TypeScript in the papers is the code that the tests run', () => {
  const all = papersOfTheHouse().flatMap((file) => blocks(file, 'ts'));
  const others = all.filter((block) => !IS_RUN.test(block));
  expect(others).toEqual(SNIPPETS.map((file) => readFileSync(join(ROOT, 'test/readme', file), 'utf8')));
});
