import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { isInfra } from './modules-in-use.mjs';
import { ROOT } from './root.mjs';

const run = promisify(execFile);

/**
 * Declarations of modules, and of all that these name: what else the compiler emits is nobody's to see.
 *
 * @param {readonly string[]} modules relative to the repository: `lib/client/index`
 * @param {string} target directory that gets them at the same places
 * @param {object} [settings]
 * @param {string} [settings.base] what the places are relative to
 * @param {readonly string[]} [settings.peers] packages that whoever imports `infra` has
 */
export async function copyDeclarations(modules, target, { base = '', peers = [] } = {}) {
  const emitted = await mkdtemp(join(tmpdir(), 'sd-turbo-types-'));
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const args = [tsc, '-p', join(ROOT, 'packages/tsconfig.json'), '--outDir', emitted];
    await run(process.execPath, args).catch(({ stdout, message }) => {
      throw new Error(`the declarations cannot be made: ${stdout || message}`);
    });
    for (const file of await closure(emitted, modules, peers)) {
      const place = join(target, file.slice(base.length));
      await mkdir(dirname(place), { recursive: true });
      await cp(join(emitted, file), place);
    }
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {readonly string[]} modules
 * @param {readonly string[]} peers
 * @returns {Promise<Set<string>>} files relative to the folder
 */
async function closure(folder, modules, peers) {
  const found = new Set(modules.map((module) => `${module}.d.ts`));
  // What is added while this runs is visited, too.
  for (const file of found) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g)) {
      found.add(`${normalize(join(dirname(file), specifier))}.d.ts`);
    }
    const known = isInfra(file) ? peers : [];
    for (const [, name = ''] of text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^.'"][^'"]*)['"]/g)) {
      if (!known.some((peer) => name === peer || name.startsWith(`${peer}/`)))
        throw new Error(`${file} names ${name}, whose types a user may not have`);
    }
  }
  return found;
}
