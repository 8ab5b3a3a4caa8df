import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './reference.js';

/**
 * Everything that people read here, as paths from the root: the one list of papers, which a new one joins by being there.
 *
 * @throws Error outside a checkout of git
 */
export function papers(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  // What `init` writes is another app's.
  return listed.filter((file) => !/^(test\/fixtures|packages\/app)\//.test(file));
}

/** Those whose code is tried in this checkout; of the packages it is, as they are installed: test/packages. */
export function papersOfTheHouse(): string[] {
  return papers().filter((file) => !file.startsWith('packages/'));
}

export function readPaper(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The blocks of code of a paper, in its order. */
export function blocks(file: string, language: string): string[] {
  const found = [...readPaper(file).matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  return found.filter(([, kind]) => kind === language).map(([, , code]) => code as string);
}

/**
 * The block of code in a language that has some words in it, wherever it stands.
 *
 * @throws Error where there is none, or more than one: nothing is said twice
 */
export function theBlock(language: string, words: string): string {
  const found = papersOfTheHouse().flatMap((file) =>
    blocks(file, language).filter((code) => code.includes(words)),
  );
  if (found.length !== 1) throw new Error(`${found.length} papers have ${language} with ${words}, not one`);
  return found[0] as string;
}

/** The lines of a block of shell; one that goes on after `\` is one line. */
export function shellLines(block: string): string[] {
  const lines = block.replaceAll(/\\\n\s*/g, '').split('\n');
  return lines.filter((line) => line.trim() !== '');
}

/** What a line of shell says that it wants: the rest of `# needs ...`. */
export const NEEDS = /\s# .*?\bneeds? (.*)$/;
