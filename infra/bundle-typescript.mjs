import { build } from 'esbuild';

/**
 * Makes of a TypeScript file of this repository, and of what it imports, one module that Node 20 runs. Packages stay where
 * they are: `outfile` must lie where they are found from.
 *
 * @param {string} file
 * @param {string} outfile
 */
export async function bundleTypeScript(file, outfile) {
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
  });
}
