// Copies the packages that bundle.mjs leaves out, and what they depend on, from node_modules to a folder of
// their own. What is for another platform than the image's linux/x64 stays behind.
//
//   node functions/endpoint/runtime-packages.mjs --outdir DIR

import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = ['onnxruntime-node', 'sharp'];
/** onnxruntime-node carries the binaries of every platform: bin/napi-v6/PLATFORM/ARCH. */
const FOREIGN_BINARY = /\/onnxruntime-node\/bin\/napi-v6\/(?!linux$|linux\/x64$|linux\/x64\/)./;

/**
 * @param {string} name
 * @param {string} from the folder of the package that asks
 * @returns {string | undefined} the folder that Node would resolve the name to
 */
function locate(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(folder)) return folder;
  return relative(ROOT, from) === '' ? undefined : locate(name, dirname(from));
}

/**
 * @param {string} name
 * @param {string} from
 * @param {boolean} optional
 * @param {Set<string>} found
 */
async function collect(name, from, optional, found) {
  const folder = locate(name, from);
  if (!folder && optional) return;
  if (!folder)
    throw new Error(`runtime-packages.mjs: ${name}, needed by ${relative(ROOT, from)}, is not installed`);
  if (found.has(folder)) return;
  found.add(folder);
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  for (const next of Object.keys(dependencies))
    await collect(next, folder, next in optionalDependencies, found);
  for (const next of Object.keys(optionalDependencies)) await collect(next, folder, true, found);
}

const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
if (!values.outdir) throw new Error('runtime-packages.mjs: --outdir is missing');

/** @type {Set<string>} */
const folders = new Set();
for (const name of PACKAGES) await collect(name, ROOT, false, folders);
for (const folder of folders) {
  const target = join(values.outdir, relative(join(ROOT, 'node_modules'), folder));
  await cp(folder, target, { recursive: true, filter: (path) => !FOREIGN_BINARY.test(path) });
}
