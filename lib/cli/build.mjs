// Emits `lib` and `functions` as JavaScript into `dist`, file by file, so that Node 20 can run them; the playground is
// for browsers, and becomes one module.
// Plain JavaScript because it runs before anything is compiled.

import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.stamp');
const SOURCE_FOLDERS = ['lib', 'functions'];
const PLAYGROUND = join(ROOT, 'functions/playground');
const PLAYGROUND_PAGE = join(DIST, 'functions/playground/page.js');

/** @returns {Promise<string[]>} what is compiled from the source folders */
async function listSources() {
  const found = [];
  for (const folder of SOURCE_FOLDERS) {
    const entries = await readdir(join(ROOT, folder), { recursive: true }).catch(() => []);
    for (const name of entries)
      if (/\.(ts|mjs|html|css|svg)$/.test(name)) found.push(join(ROOT, folder, name));
  }
  return found;
}

/** @param {string[]} sources */
async function isFresh(sources) {
  const built = await stat(STAMP).catch(() => undefined);
  if (!built) return false;
  const folders = new Set(sources.map((source) => dirname(source)));
  const stats = await Promise.all([...sources, ...folders].map((path) => stat(path)));
  return stats.every((source) => source.mtimeMs <= built.mtimeMs);
}

/**
 * Brings `dist` up to date with the sources; does nothing when it already is. Each file is replaced at
 * once, so that processes which build or run at the same time find every file whole.
 */
export async function build() {
  const sources = await listSources();
  if (sources.length === 0 || (await isFresh(sources))) return;
  const started = new Date();
  const { build: transpile } = await import('esbuild');
  const { outputFiles } = await transpile({
    entryPoints: sources.filter((source) => source.endsWith('.ts') && !source.startsWith(PLAYGROUND)),
    bundle: false,
    write: false,
    outdir: DIST,
    outbase: ROOT,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    logLevel: 'error',
  });
  for (const { path, contents } of outputFiles) await replaceFile(path, contents);
  const { bundlePlayground } = await import(pathToFileURL(join(PLAYGROUND, 'bundle.mjs')).href);
  await replaceFile(PLAYGROUND_PAGE, await bundlePlayground());
  await removeOthers(new Set([PLAYGROUND_PAGE, ...outputFiles.map(({ path }) => path)]));
  // The stamp carries the time at which the build began: a source edited meanwhile counts as newer.
  await replaceFile(STAMP, '');
  await utimes(STAMP, started, started);
}

/**
 * @param {string} path
 * @param {string | Uint8Array} contents
 */
async function replaceFile(path, contents) {
  const partial = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(partial, contents);
  await rename(partial, path);
}

/** Modules whose source is gone. @param {Set<string>} emitted */
async function removeOthers(emitted) {
  const entries = await readdir(DIST, { recursive: true });
  const stale = entries.map((name) => join(DIST, name)).filter((path) => /\.js(\.map)?$/.test(path));
  for (const path of stale) if (!emitted.has(path)) await rm(path, { force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
