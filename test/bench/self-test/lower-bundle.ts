import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeModel } from '../../../lib/onnx/encode-model.js';
import { lowerContrib } from '../../support/graphs/lower-contrib.js';
import { readGraph } from '../../support/graphs/run-graph.js';

/** Makes a bundle of the dialect `cuda` one that runs on the CPU, rounded to float16 wherever a GPU would. */
export function lowerBundle(folder: string): void {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const parts = new Set(manifest.files.map((file: { path: string }) => file.path).filter(isGraph));
  for (const part of parts as Set<string>) {
    const file = join(folder, part);
    writeFileSync(file, encodeModel(lowerContrib(readGraph(file), { rounds: true })));
  }
  writeFileSync(path, JSON.stringify({ ...manifest, dialect: 'standard' }));
}

function isGraph(path: string): boolean {
  return path.endsWith('/model.onnx');
}
