// What `cdk` starts. Node 20 runs no TypeScript, so the app is bundled first.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleTypeScript } from './bundle-typescript.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = join(ROOT, 'dist/infra');
// Two may run at once.
const outfile = join(FOLDER, `app-${process.pid}.mjs`);

await mkdir(FOLDER, { recursive: true });
await bundleTypeScript(join(ROOT, 'infra/app.ts'), outfile);
process.setSourceMapsEnabled(true);
try {
  const { synthesize } = await import(pathToFileURL(outfile).href);
  synthesize();
} catch (error) {
  console.error(error instanceof Error && error.message.startsWith('wrong options') ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(outfile, { force: true });
}
