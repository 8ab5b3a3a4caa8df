// Runs a TypeScript file of this repository: node test/support/run-ts.mjs FILE.ts [ARGS]
// Node 20 cannot, so the file and what it imports are bundled first.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleTypeScript } from '../../infra/bundle-typescript.mjs';

// Below node_modules, so that the bundle finds the packages.
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node test/support/run-ts.mjs FILE.ts [ARGS]');
  process.exit(2);
}

mkdirSync(CACHE, { recursive: true });
const folder = mkdtempSync(join(CACHE, 'run-ts-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const outfile = join(folder, 'main.mjs');
await bundleTypeScript(file, outfile).catch(() => process.exit(1));

process.setSourceMapsEnabled(true);
process.argv = [process.execPath, resolve(file), ...args];
await import(pathToFileURL(outfile).href);
