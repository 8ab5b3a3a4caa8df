// Bundles the server of the container, and the worker threads that it starts beside it, into a file each.
// Plain JavaScript because it runs before anything is compiled.
//
//   node functions/endpoint/bundle.mjs --outdir DIR

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const { values } = parseArgs({ options: { outdir: { type: 'string' } } });
if (!values.outdir) throw new Error('bundle.mjs: --outdir is missing');

await build({
  absWorkingDir: ROOT,
  entryPoints: {
    server: 'functions/endpoint/server.ts',
    'session-worker': 'lib/runtime/session-worker.ts',
    'fetch-worker': 'lib/weights/fetch-worker.ts',
  },
  outdir: values.outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: 'linked',
  // Native code stays in node_modules: runtime-packages.mjs copies it.
  external: ['onnxruntime-node', 'sharp'],
  // CommonJS packages inside an ES module still call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
