import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from '../../infra/options/config.js';
import { benchCommand } from '../../lib/cli/commands/bench.js';
import { doctorCommand } from '../../lib/cli/commands/doctor.js';
import { generateCommand } from '../../lib/cli/commands/generate.js';
import { importCommand } from '../../lib/cli/commands/import.js';
import { keysCommand } from '../../lib/cli/commands/keys.js';
import { modelsCommand } from '../../lib/cli/commands/models.js';
import { serveCommand } from '../../lib/cli/commands/serve.js';
import { blocks, NEEDS, papersOfTheHouse, shellLines } from '../support/papers.js';
import { paste } from '../support/processes/paste.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'papers-'));
// Lines name what is in the checkout, and write into the folder that they are run in.
symlinkSync(join(ROOT, 'lib'), join(scratch, 'lib'));
afterAll(() => rmSync(scratch, { recursive: true }));

const lines = papersOfTheHouse().flatMap((file) =>
  blocks(file, 'sh').flatMap((block) => shellLines(block).map((line) => ({ file, line, block }))),
);

/** What a machine without anything can run in seconds; a block that talks to a service is pasted by tour.test.ts. */
const run = lines.filter(
  ({ line, block }) => /^npx sd-turbo /.test(line) && !/localhost/.test(block) && !NEEDS.test(line),
);

test.each(run)('$file: $line', ({ line }) => {
  paste(line.replaceAll('/tmp/', `${scratch}/`), scratch, {
    XDG_CACHE_HOME: join(scratch, 'cache'),
    XDG_DATA_HOME: join(scratch, 'share'),
  });
});

const COMMANDS: readonly Command[] = [
  benchCommand(),
  doctorCommand(),
  generateCommand(),
  importCommand(),
  keysCommand(),
  modelsCommand(),
  serveCommand(),
];

function knowsItsOptions([name, ...args]: readonly string[]): void {
  const command = COMMANDS.find((one) => one.name() === name);
  const [verb, ...rest] = args;
  const inner = command?.commands.find((one) => one.name() === verb);
  expect((inner ? inner.parseOptions(rest) : command?.parseOptions(args))?.unknown, name).toEqual([]);
}

function isThere(file: string | undefined): void {
  expect(existsSync(join(ROOT, file ?? 'no file')), file).toBe(true);
}

function isScript(name: string | undefined): void {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(Object.keys(scripts)).toContain(name);
}

/** How a command is looked at that no test can run: by its words after these. */
const LOOKS: readonly (readonly [string, (words: readonly string[]) => void])[] = [
  ['npm ci', (words) => expect(words).toEqual([])],
  ['npm test', () => isScript('test')],
  ['npm start', ([, ...args]) => knowsItsOptions(['serve', ...args])],
  ['npm run', ([name]) => isScript(name)],
  ['npx sd-turbo', knowsItsOptions],
  [
    'npx cdk',
    ([verb, ...args]) => {
      expect(['bootstrap', 'deploy', 'destroy', 'synth']).toContain(verb);
      const given = args.filter((word) => word.includes('='));
      readConfig(Object.fromEntries(given.map((word) => word.split(/=(.*)/).slice(0, 2))));
    },
  ],
  ['npx vitest run', ([folder]) => isThere(folder)],
  ['node test/support/run-ts.mjs', ([file]) => isThere(file)],
  ['docker build', (words) => isThere(words[words.indexOf('-f') + 1])],
  // worker.test.ts runs what it would.
  ['docker run', (words) => expect(words.at(-1)).toBe('worker')],
  // tour.test.ts pastes it.
  [
    'curl',
    (words) => {
      const url = words.find((word) => !word.startsWith('-'));
      expect(url).toMatch(/^localhost:(8000\/predict|8080\/(ping|invocations))$/);
    },
  ],
];

/** The commands of a line, less variables before them, redirections, remarks, and what is made of an answer; double and single quotes hold words together. */
function commandsOf(line: string): string[][] {
  const bare = line.replace(/\s+#.*$/, '').replace(/\s(>\s\S+|\|\s.*)$/, '');
  return bare.split(' && ').map((command) => {
    const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)];
    const plain = words.map(([, double, single, other]) => double ?? single ?? (other as string));
    return plain.slice(plain.findIndex((word) => !/^[A-Z_]+=/.test(word)));
  });
}

test.each(lines)('$file: names what is there: $line', ({ line }) => {
  for (const words of commandsOf(line)) {
    const text = words.join(' ');
    const [start, look] = LOOKS.find(([known]) => `${text} `.startsWith(`${known} `)) ?? [];
    if (look) look(words.slice(start?.split(' ').length));
    else isThere(words[0]);
  }
});

test('there are lines of both kinds', () => {
  expect(run.length).toBeGreaterThan(7);
  expect(lines.length - run.length).toBeGreaterThan(20);
});
