// What `cdk` starts. Node 20 runs no TypeScript, so the app is bundled first; packages stay where they are.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = join(ROOT, 'dist/infra');
// Two may run at once.
const outfile = join(FOLDER, `app-${process.pid}.mjs`);

await mkdir(FOLDER, { recursive: true });
await build({
  entryPoints: [join(ROOT, 'infra/app.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'error',
});
process.setSourceMapsEnabled(true);
try {
  const { synthesize } = await import(pathToFileURL(outfile).href);
  synthesize(ROOT);
} catch (error) {
  console.error(error instanceof Error && error.message.startsWith('wrong options') ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(outfile, { force: true });
}
