// How esbuild bundles what runs on Node 24, in the container and on Lambda: shipped as it is, read in stack traces only.
// Plain JavaScript because it is imported before anything is compiled.

import { fileURLToPath } from 'node:url';

/** @satisfies {import('esbuild').BuildOptions} */
export const NODE_BUNDLE = /** @type {const} */ ({
  absWorkingDir: fileURLToPath(new URL('../', import.meta.url)),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: 'linked',
  // CommonJS packages inside an ES module still call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
