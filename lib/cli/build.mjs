// Emits `lib` and `functions` as JavaScript into `dist`, file by file, so that Node 20 can run them.
// Plain JavaScript because it runs before anything is compiled.

import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.stamp');
const SOURCE_FOLDERS = ['lib', 'functions'];

/** @returns {Promise<string[]>} the TypeScript files below the source folders */
async function listSources() {
  const found = [];
  for (const folder of SOURCE_FOLDERS) {
    const entries = await readdir(join(ROOT, folder), { recursive: true }).catch(() => []);
    for (const name of entries) if (name.endsWith('.ts')) found.push(join(ROOT, folder, name));
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
 * Brings `dist` up to date with the sources; does nothing when it already is. Two processes may do
 * this at once: each writes a folder of its own and renames it into place.
 */
export async function build() {
  const sources = await listSources();
  if (sources.length === 0 || (await isFresh(sources))) return;
  const started = new Date();
  const { build: bundle } = await import('esbuild');
  const { outputFiles } = await bundle({
    entryPoints: sources,
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
  const fresh = await mkdtemp(`${DIST}-`);
  for (const file of outputFiles) {
    const path = join(fresh, relative(DIST, file.path));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.contents);
  }
  // The stamp carries the time at which the build began: a source edited meanwhile counts as newer.
  await writeFile(join(fresh, '.stamp'), '');
  await utimes(join(fresh, '.stamp'), started, started);
  await replaceDist(fresh, sources);
}

/**
 * @param {string} fresh
 * @param {string[]} sources
 */
async function replaceDist(fresh, sources) {
  const old = `${fresh}-old`;
  if (await isFresh(sources)) return rm(fresh, { recursive: true });
  await rename(DIST, old).catch(() => undefined);
  await rename(fresh, DIST).catch(() => rm(fresh, { recursive: true }));
  await rm(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
