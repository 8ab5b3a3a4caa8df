import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { copyDeclarations } from './declarations.mjs';
import { ROOT, readJson, writeJson } from './root.mjs';

/** Those that have `AbortSignal.any`, which the client uses: the playground's, Node 20.3, Deno 1.39, Bun 1.1. */
const TARGETS = ['chrome116', 'edge116', 'firefox124', 'safari17.4', 'node20', 'deno1.39'];

/**
 * The client by itself: one module without dependencies, readable in a stack trace, and its declarations.
 *
 * @param {string} stage an empty directory
 */
export async function stageClient(stage) {
  const { version, license } = await readJson(join(ROOT, 'package.json'));
  const own = await readJson(join(ROOT, 'packages/client/package.json'));
  const manifest = { ...own, version, license, engines: { node: '>=20.3' } };
  await writeJson(join(stage, 'package.json'), manifest);
  await cp(join(ROOT, 'packages/client/README.md'), join(stage, 'README.md'));
  await cp(join(ROOT, 'LICENSE'), join(stage, 'LICENSE'));
  await build({
    entryPoints: [join(ROOT, 'lib/client/index.ts')],
    outfile: join(stage, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: TARGETS,
    // Names stay.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  await copyDeclarations(['lib/client/index'], stage, { base: 'lib/client' });
}
