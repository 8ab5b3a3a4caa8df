/**
 * Loads networks as the endpoint does, in its session thread, and runs each some times, with marks in the stand-ins' log.
 *
 *   LD_LIBRARY_PATH=... STAND_IN_LOG=FILE node test/support/run-ts.mjs test/gpu/drive.ts SESSION-WORKER RUNS FOLDER...
 *
 * Prints, in one line of JSON for each folder, its outputs and which provider took each node.
 */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepareSessions } from '../../lib/cli/environment.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { ValueSignature } from '../../lib/runtime/session-messages.js';
import { type TensorData, toTensor } from '../../lib/runtime/tensor.js';

const [worker = '', runs = '', ...folders] = process.argv.slice(2);
const log = process.env['STAND_IN_LOG'] as string;
const mark = (text: string) => appendFileSync(log, `mark\t${text}\n`);

function zeros({ type, shape }: ValueSignature): TensorData {
  const dims = shape.map((extent) => (typeof extent === 'number' ? extent : 1));
  const size = dims.reduce((product, extent) => product * extent, 1);
  return toTensor(new Float32Array(size), type, dims);
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly node_index?: string };
}

/** Nodes by provider, from ONNX Runtime's own trace. */
function placements(folder: string): Record<string, string[]> {
  const found: Record<string, Set<string>> = {};
  for (const file of readdirSync(folder)) {
    const events: ProfileEvent[] = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    for (const { cat, name, args } of events) {
      if (cat !== 'Node' || !args?.provider) continue;
      found[args.provider] ??= new Set();
      found[args.provider]?.add(name.replace(/_kernel_time$/, ''));
    }
  }
  return Object.fromEntries(Object.entries(found).map(([provider, names]) => [provider, [...names]]));
}

// As the endpoint does, before the thread that makes sessions begins.
prepareSessions();
const scratch = mkdtempSync(join(tmpdir(), 'drive-'));
const host = new SessionHost(pathToFileURL(worker));
const outputs = new Map<string, object>();
try {
  for (const folder of folders) {
    const name = basename(folder);
    mark(`${name} load`);
    const path = join(folder, 'model.onnx');
    const profilePrefix = join(scratch, name);
    const signature = await host.load(name, path, { provider: 'cuda', asIs: true, profilePrefix });
    for (let run = 1; run <= Number(runs); run++) {
      mark(`${name} ${run}`);
      await host.run(name, Object.fromEntries(signature.inputs.map((input) => [input.name, zeros(input)])));
    }
    mark('');
    outputs.set(name, signature.outputs);
  }
} finally {
  // Traces are written when sessions end.
  await host.close();
}
for (const [network, signature] of outputs) {
  const traces = readdirSync(scratch).filter((file) => file.startsWith(`${network}_`));
  const folder = mkdtempSync(join(scratch, 'one-'));
  for (const file of traces) appendFileSync(join(folder, file), readFileSync(join(scratch, file)));
  console.log(JSON.stringify({ network, outputs: signature, nodes: placements(folder) }));
}
rmSync(scratch, { recursive: true });
