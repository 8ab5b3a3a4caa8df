// Bundles the playground into one HTML page, and hands it over as the source of a module: `page.d.ts` is its type.
// The API imports that module by the name `#playground` (see package.json).
// Plain JavaScript because it runs before anything is compiled.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Those that have `AbortSignal.any`, which the client uses. */
const BROWSERS = ['chrome116', 'edge116', 'firefox124', 'safari17.4'];

/** @returns {Promise<string>} JavaScript */
export async function bundlePlayground() {
  const [template, script, style, theme] = await Promise.all([
    readFile(join(FOLDER, 'page.html'), 'utf8'),
    bundle('main.ts'),
    bundle('style.css'),
    bundle('theme.css'),
  ]);
  const html = template
    .replace(/\n\s*/g, '\n')
    .replace('/*style*/', () => style)
    .replace('/*script*/', () => script);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src blob: data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return `export const page = ${JSON.stringify({ html, policy })};\nexport const theme = ${JSON.stringify(theme)};\n`;
}

/** @param {string} file */
async function bundle(file) {
  const { outputFiles } = await build({
    absWorkingDir: FOLDER,
    entryPoints: [file],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: BROWSERS,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return (outputFiles[0]?.text ?? '').trim();
}

/** @param {string} text */
function hash(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
