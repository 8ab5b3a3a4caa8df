import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ImageDecoder } from '../../../lib/image/image-decoder.js';

/** A decoder on the compiled sources, which Vitest's global setup has brought up to date. */
export function startImageDecoder(): ImageDecoder {
  return new ImageDecoder(new URL('../../../dist/lib/image/decode-process.js', import.meta.url));
}

/** What a process does that is ended by every picture. */
export const ENDED_BY_PICTURES =
  "process.on('message', () => process.kill(process.pid, 'SIGKILL')); process.send({ kind: 'ready' });";

/** A decoder whose process does something else. @param use is given it for as long as its script is there */
export async function withScriptedDecoder<T>(
  source: string,
  use: (decoder: ImageDecoder) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'decoder-'));
  const script = join(folder, 'decode.mjs');
  writeFileSync(script, source);
  try {
    return await use(new ImageDecoder(pathToFileURL(script)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
