// The image's build context as it is published.
//
//   node packages/steps/stage-image.mjs DIR

import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleEndpoint, NATIVE } from '../../functions/endpoint/bundle.mjs';
import { ROOT, readJson, writeJson } from './root.mjs';

const run = promisify(execFile);

/** For stack traces of what is minified: the places of the sources, without their text, which is most of a map. */
export const PLACES_ONLY = /** @type {const} */ ({ sourcesContent: false });

const DOCKERFILE = 'functions/endpoint/Dockerfile';
/** What its stages copy beside the server. */
const FILES = ['cuda-wheels.txt', 'libcuda-stub.c', 'runtime-packages.mjs', 'check-cuda-provider.mjs'];
/** Steps of a build from sources, and what stands for them where the server is bundled already. */
const STEPS = {
  'COPY package.json package-lock.json .npmrc ./\n': 'COPY package.json package-lock.json ./\n',
  'COPY lib lib\nCOPY functions functions\nRUN node functions/endpoint/bundle.mjs --outdir /bundle\n':
    'COPY bundle /bundle\n',
};
const IGNORED = '# Whatever lies here is what the image is built from.\n**/node_modules\n';

/**
 * The image's build context for those who have no clone: the server as one file, the same Dockerfile less the step that
 * bundles it, and a lock of the packages with native code alone.
 *
 * @param {string} context
 */
export async function stageImage(context) {
  const folder = join(context, dirname(DOCKERFILE));
  await mkdir(folder, { recursive: true });
  await bundleEndpoint(join(context, 'bundle'), PLACES_ONLY);
  await writeFile(join(context, DOCKERFILE), await dockerfile());
  await writeFile(join(context, `${DOCKERFILE}.dockerignore`), IGNORED);
  for (const file of FILES) await cp(join(ROOT, dirname(DOCKERFILE), file), join(folder, file));
  await lock(context);
}

async function dockerfile() {
  let text = await readFile(join(ROOT, DOCKERFILE), 'utf8');
  for (const [from, to] of Object.entries(STEPS)) {
    if (text.split(from).length !== 2) throw new Error(`${DOCKERFILE} has not exactly once: ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

/** npm takes out of this repository's lock what is not needed, and asks nobody. @param {string} context */
async function lock(context) {
  const { version, license, dependencies } = await readJson(join(ROOT, 'package.json'));
  const native = Object.fromEntries(NATIVE.map((name) => [name, dependencies[name]]));
  const manifest = { name: 'sd-turbo-endpoint', version, license, private: true, dependencies: native };
  await writeJson(join(context, 'package.json'), manifest);
  await cp(join(ROOT, 'package-lock.json'), join(context, 'package-lock.json'));
  await run('npm', ['install', '--package-lock-only', '--offline', '--ignore-scripts'], { cwd: context });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (!folder) throw new Error('stage-image.mjs: DIR is missing');
  await stageImage(folder);
}
