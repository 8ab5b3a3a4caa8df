import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** These TypeScript blocks of the README are files here, which the type checker and the tests know. */
const SNIPPETS = ['receive-webhook.ts'];
/** The others are run: tour.test.ts. */
const IS_RUN = /createClient|new OpenAI|openPipeline/;

test("the README's TypeScript is the code that the tests run", () => {
  const blocks = [...read('README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);
  const others = blocks.filter((block) => !IS_RUN.test(block ?? ''));
  expect(others).toEqual(SNIPPETS.map((file) => read(join('test/readme', file))));
});
