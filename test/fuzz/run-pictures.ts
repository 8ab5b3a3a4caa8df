/**
 * Damages pictures for as long as it is told, and keeps what the reader falls over.
 *
 *   npm run build
 *   nice -n 19 node test/support/run-ts.mjs test/fuzz/run-pictures.ts [--minutes N] [--seed N] [--out DIR]
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { ImageDecoder } from '../../lib/image/image-decoder.js';
import { damaged } from './damage.js';
import { readOrRefuse } from './read-or-refuse.js';
import { wholePictures } from './whole-pictures.js';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    out: { type: 'string', default: 'test/fuzz/findings' },
  },
});
const PICTURES_A_ROUND = 1_000;
const until = Date.now() + 60_000 * Number(options.minutes);
const decoder = new ImageDecoder(pathToFileURL(resolve('dist/lib/image/decode-process.js')));
const pictures = damaged([...(await wholePictures()).values()]);
const count = { read: 0, refused: 0, found: 0 };

for (let seed = Number(options.seed); Date.now() < until; seed++) {
  let longest = 0;
  for (const bytes of fc.sample(pictures, { seed, numRuns: PICTURES_A_ROUND })) {
    const started = performance.now();
    try {
      count[await readOrRefuse(decoder, bytes)]++;
    } catch (error) {
      keep(bytes, seed, error);
    }
    longest = Math.max(longest, performance.now() - started);
  }
  process.stdout.write(`seed ${seed}: ${JSON.stringify(count)}, longest ${Math.round(longest)} ms\n`);
}

function keep(bytes: Buffer, seed: number, error: unknown): void {
  count.found++;
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`;
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, name), bytes);
  process.stdout.write(`seed ${seed}: ${name}: ${error}\n`);
}
