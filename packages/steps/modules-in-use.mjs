import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './root.mjs';

/** Where Node begins: the command and the library, and what they start by path as a service, a thread or a process. */
const ENTRIES = [
  'lib/cli/command.ts',
  'lib/client/index.ts',
  'lib/in-process/index.ts',
  'functions/home/start-service.ts',
  'functions/home/endpoint/end-with-parent.ts',
  'functions/endpoint/server.ts',
  'lib/runtime/session-worker.ts',
  'lib/image/decode-process.ts',
  'lib/weights/download/fetch-worker.ts',
];
/** Where an app of CDK begins: needs more packages than everybody has. */
const CDK_ENTRY = 'infra/index.ts';
/** Loaded in a way that no bundler sees: `createRequire` in `folder-lock.ts`. */
const UNSEEN = { 'functions/home/records/folder-lock.ts': 'fs-native-extensions' };

/**
 * What an installed package is made of.
 *
 * @returns {Promise<{ modules: string[], needed: Set<string>, optional: Set<string>, cdk: Set<string> }>} TypeScript files;
 * packages that are loaded whatever is asked for; packages that only a part of the commands imports, when it is asked
 * for; packages that only apps of CDK have
 */
export async function modulesInUse() {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...ENTRIES, CDK_ENTRY],
    outdir: 'nowhere',
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    external: ['#playground'],
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  const { inputs } = metafile;
  const modules = Object.keys(inputs);
  const cdk = packagesOf(inputs, modules.filter(isInfra));
  const needed = packagesOf(inputs, closureOf(inputs, ENTRIES));
  for (const [file, name] of Object.entries(UNSEEN)) if (file in inputs) needed.add(name);
  const optional = packagesOf(inputs, modules.filter(isOptional));
  for (const name of optional) {
    if (needed.has(name))
      throw new Error(`${name}: is imported where it should be loaded when it is asked for`);
  }
  for (const name of packagesOf(
    inputs,
    modules.filter((file) => !isInfra(file)),
  ))
    if (!optional.has(name)) needed.add(name);
  for (const name of needed) cdk.delete(name);
  return { modules, needed, optional, cdk };
}

/** What `npm run build` does not compile. @param {string} file */
export function isInfra(file) {
  return file.startsWith('infra/');
}

/** Clients of others' services, of which most users have none. @param {string} file */
function isOptional(file) {
  return /^lib\/((doctor|keys)\/aws\/|weights\/(bundle\/s3-|checkpoint\/(s3-|open-hub-)|sources\/s3\/))[\w-]*\.ts$/.test(
    file,
  );
}

/** @typedef {import('esbuild').Metafile['inputs']} Inputs */

/**
 * All that is loaded together with some files.
 *
 * @param {Inputs} inputs
 * @param {readonly string[]} files
 */
function closureOf(inputs, files) {
  const found = new Set(files);
  for (const file of found) {
    const imported = inputs[file]?.imports ?? [];
    for (const { path, kind, external } of imported)
      if (kind !== 'dynamic-import' && !external) found.add(path);
  }
  return [...found];
}

/**
 * @param {Inputs} inputs
 * @param {readonly string[]} files
 */
function packagesOf(inputs, files) {
  const imports = files.flatMap((file) => inputs[file]?.imports ?? []);
  const paths = imports.filter(({ external, path }) => external && !/^(node:|#)/.test(path));
  return new Set(paths.map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path));
}

/** @param {string} module a TypeScript file @returns {string} the JavaScript that `npm run build` makes of it */
export function compiled(module) {
  return join('dist', module.replace(/\.ts$/, '.js'));
}
