import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** These TypeScript blocks of the README are files here, which the type checker and the tests know. */
const SNIPPETS = ['receive-webhook.ts'];
/** The others are run against a service: tour.test.ts. */
const TALKS_TO_A_SERVICE = /createClient|new OpenAI/;

test("the README's TypeScript is the code that the tests run", () => {
  const blocks = [...read('README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);
  const others = blocks.filter((block) => !TALKS_TO_A_SERVICE.test(block ?? ''));
  expect(others).toEqual(SNIPPETS.map((file) => read(join('test/readme', file))));
});
