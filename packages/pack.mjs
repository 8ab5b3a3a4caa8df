// Makes the tarballs that are published, beside each other where they are asked for, and prints their sizes.
// Plain JavaScript because it runs before anything is compiled.
//
//   node packages/pack.mjs [client] [main] [--out DIR]

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { stageClient } from './steps/stage-client.mjs';
import { stageMain } from './steps/stage-main.mjs';

const STAGES = { client: stageClient, main: stageMain };

const run = promisify(execFile);

/**
 * @typedef {object} Packed
 * @property {string} file path of the tarball
 * @property {number} size of the tarball. Bytes
 * @property {number} unpackedSize of what is in it. Bytes
 * @property {readonly { readonly path: string, readonly size: number }[]} files
 */

/**
 * @param {keyof typeof STAGES} name
 * @param {string} out an existing directory
 * @returns {Promise<Packed>}
 */
export async function pack(name, out) {
  const stage = await mkdtemp(join(tmpdir(), 'sd-turbo-pack-'));
  try {
    await STAGES[name](stage);
    const args = ['pack', stage, '--json', '--ignore-scripts', '--pack-destination', out];
    const { stdout } = await run('npm', args, { cwd: stage, maxBuffer: 2 ** 24 });
    const [packed] = Object.values(JSON.parse(stdout));
    return { ...packed, file: join(out, packed.filename) };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string', default: '.' } },
    allowPositionals: true,
  });
  const names = /** @type {(keyof typeof STAGES)[]} */ (
    positionals.length > 0 ? positionals : Object.keys(STAGES)
  );
  const unknown = names.find((name) => !(name in STAGES));
  if (unknown)
    throw new Error(`pack.mjs: there is no package ${unknown}, only ${Object.keys(STAGES).join(', ')}`);
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  for (const name of names) {
    const { file, size, unpackedSize, files } = await pack(name, out);
    console.error(`${name}: ${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked, ${files.length} files`);
    console.log(relative('', file));
  }
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
