import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Each TypeScript block of the README is a file here, which the type checker and the tests know. */
const SNIPPETS = ['receive-webhook.ts'];

test("the README's TypeScript is the code that the tests run", () => {
  const blocks = [...read('README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);
  expect(blocks).toEqual(SNIPPETS.map((file) => read(join('test/readme', file))));
});
