// Bundles the server of the container, and the threads and processes that it starts beside it, into a file each.
// Plain JavaScript because it runs before anything is compiled.
//
//   node functions/endpoint/bundle.mjs --outdir DIR

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { NODE_BUNDLE } from '../node-bundle.mjs';

/** Native code stays in node_modules: runtime-packages.mjs copies it. */
export const NATIVE = ['onnxruntime-node', 'sharp'];

/**
 * @param {string} outdir
 * @param {import('esbuild').BuildOptions} [options] where they are to be others than in the image
 */
export async function bundleEndpoint(outdir, options = {}) {
  await build({
    ...NODE_BUNDLE,
    ...options,
    entryPoints: {
      server: 'functions/endpoint/server.ts',
      'worker-process': 'functions/endpoint/worker/worker-process.ts',
      'decode-process': 'lib/image/decode-process.ts',
      'session-worker': 'lib/runtime/session-worker.ts',
      'fetch-worker': 'lib/weights/download/fetch-worker.ts',
    },
    outdir,
    external: NATIVE,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
  if (!values.outdir) throw new Error('bundle.mjs: --outdir is missing');
  await bundleEndpoint(values.outdir);
}
