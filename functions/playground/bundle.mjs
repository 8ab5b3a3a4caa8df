// Bundles the playground into one HTML page, and script and style of the reference, and hands them over as the source of a
// module: `page.d.ts` is its type. The API imports that module by the name `#playground` (see package.json).
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
  const [template, svg, page, reference] = await Promise.all([
    readFile(join(FOLDER, 'page.html'), 'utf8'),
    readFile(join(FOLDER, 'favicon.svg'), 'utf8'),
    bundleParts('main.ts', 'style.css'),
    bundleParts('reference/main.ts', 'reference/reference.css'),
  ]);
  const favicon = { svg: svg.trim(), url: `data:image/svg+xml,${encodeURIComponent(svg.trim())}` };
  const html = template
    .replace(/\n\s*/g, '\n')
    .replace('/*favicon*/', () => favicon.url)
    .replace('/*style*/', () => page.style)
    .replace('/*script*/', () => page.script);
  const parts = { page: { html, policy: page.policy }, reference, favicon };
  return Object.entries(parts)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
    .join('');
}

/**
 * @param {string} main
 * @param {string} css
 */
async function bundleParts(main, css) {
  const [script, style] = await Promise.all([bundle(main), bundle(css)]);
  return { script, style, policy: policyOf(script, style) };
}

/** Nothing from anywhere else, nothing to anywhere else. @param {string} script @param {string} style */
function policyOf(script, style) {
  return [
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
