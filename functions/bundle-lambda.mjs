// Bundles each Lambda function into a folder of its own and prints their sizes.
// Plain JavaScript because it also runs before anything is compiled: at synthesis.
//
//   node functions/bundle-lambda.mjs --outdir DIR

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { NODE_BUNDLE } from './node-bundle.mjs';
import { bundlePlayground } from './playground/bundle.mjs';
import { PURE_SCHEMAS } from './pure-schemas.mjs';

const FUNCTIONS = {
  api: 'functions/api/lambda.ts',
  worker: 'functions/worker/lambda.ts',
  'dead-letters': 'functions/worker/dead-letters.ts',
  authorizer: 'functions/authorizer/lambda.ts',
  'import-weights': 'functions/import-weights/lambda.ts',
  'webhook-secret': 'functions/webhook-secret/lambda.ts',
  'empty-bucket': 'functions/empty-bucket/lambda.ts',
  'gateway-log-role': 'functions/gateway-log-role/lambda.ts',
  stopped: 'functions/stopped/lambda.ts',
};

/** Needs no `dist`: a deployment may come before any build. @type {import('esbuild').Plugin} */
const PLAYGROUND = {
  name: 'playground',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^#playground$/ }, ({ path }) => ({ path, namespace: 'playground' }));
    onLoad({ filter: /./, namespace: 'playground' }, async () => ({ contents: await bundlePlayground() }));
  },
};

/**
 * @param {string} outdir gets one folder for each function: index.mjs, what it loads only when it is needed, and source maps
 * @param {import('esbuild').BuildOptions} [options] where they are to be others than at synthesis
 * @returns {Promise<Record<string, number>>} bytes of code by function
 */
export async function bundleLambda(outdir, options = {}) {
  /** @type {Record<string, number>} */
  const sizes = {};
  // Each by itself, since no function has the other's files; and in pieces, since what is imported late stands whole in one.
  for (const [name, path] of Object.entries(FUNCTIONS)) {
    const { metafile } = await build({
      ...NODE_BUNDLE,
      ...options,
      entryPoints: { index: path },
      outdir: join(outdir, name),
      splitting: true,
      metafile: true,
      plugins: [PLAYGROUND, PURE_SCHEMAS],
    });
    const outputs = Object.entries(metafile.outputs).filter(([file]) => file.endsWith('.mjs'));
    sizes[name] = outputs.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  }
  return sizes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
  if (!values.outdir) throw new Error('bundle-lambda.mjs: --outdir is missing');
  for (const [name, bytes] of Object.entries(await bundleLambda(values.outdir))) {
    console.log(`${name}: ${(bytes / 1024).toFixed(0)} KiB`);
  }
}
