/**
 * What SD-Turbo's networks in the dialect `cuda` would take on a T4: an estimate, from what each node moves and multiplies
 * on the stand-in (test/gpu/stand-in/build.sh), also where several pictures share a run. What a launch costs is not in it.
 *
 *   node test/support/run-ts.mjs test/gpu/estimate.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { markdownTable } from '../bench/markdown-table.js';
import { estimateNodes } from './estimate-nodes.js';
import { NETWORKS, writeFullSizeBundle } from './full-size-bundle.js';
import { drive, stageServer, standInIsAbsent } from './stand-in.js';

const SEVERAL = [2, 4, 8];

const absent = standInIsAbsent();
if (absent !== undefined) throw new Error(absent);
const scratch = mkdtempSync(join(tmpdir(), 'estimate-'));
const server = stageServer();
try {
  await writeFullSizeBundle(scratch);
  const folders = Object.keys(NETWORKS).map((network) => join(scratch, network));
  const { log, driven } = drive(server, folders);
  const rows = driven.map((each) => {
    const { tflop, gigabytes, milliseconds } = estimateNodes(each);
    const run = log.phases.get(`${each.network} 3`);
    if (!run) throw new Error(`${each.network} was not run`);
    const { kernels, convolutions, products, addedBiases, toDevice, toHost } = run;
    const launches = kernels.length + convolutions.length + products.length + addedBiases.length;
    const counts = [launches, addedBiases.length, toDevice.length + toHost.length].map(String);
    const shared = SEVERAL.map((pictures) => estimateNodes(each, pictures).milliseconds / pictures);
    const times = [milliseconds, ...shared].map((time) => time.toFixed(1));
    return [each.network, ...counts, tflop.toFixed(3), gigabytes.toFixed(3), ...times];
  });
  const titles = [
    'network',
    'launches',
    'of these, biases alone',
    'copies',
    'TFLOP',
    'GB moved',
    'T4, estimated ms',
    ...SEVERAL.map((pictures) => `a picture of ${pictures} in one run`),
  ];
  console.log(markdownTable([titles, ...rows]));
} finally {
  for (const folder of [scratch, server]) rmSync(folder, { recursive: true });
}
