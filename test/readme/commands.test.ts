import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'readme-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The words of a shell line without variables; double quotes hold a word together. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string));
}

/** The README's `npx sd-turbo` lines, less those that say what else they need, and those that talk to a service. */
function commands(): string[][] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block as string);
  const lines = blocks
    .filter((block) => !/# needs|localhost/.test(block))
    .flatMap((block) => block.split('\n'));
  return lines.filter((line) => line.startsWith('npx sd-turbo ')).map((line) => words(line).slice(2));
}

test.each(commands())('npx sd-turbo %s %s ...', async (...args) => {
  const here = args.map((word) =>
    word.replace(/^(lib|\/tmp)\//, (place) => (place === 'lib/' ? `${ROOT}lib/` : `${scratch}/`)),
  );
  const { code, stderr } = await sdTurbo(here, scratch);
  expect(code, stderr).toBe(0);
});

test('there are such lines', () => {
  expect(commands().length).toBeGreaterThan(5);
});
