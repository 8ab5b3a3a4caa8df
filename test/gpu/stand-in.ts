import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStandInLog, type StandInLog } from './stand-in-log.js';

/** Where `test/gpu/stand-in/build.sh` puts it. */
const BUILT = join(homedir(), '.cache/sd-turbo-stand-in');
const PROVIDERS = 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64';

/** Why there is nothing to test with; undefined where there is. */
export function standInIsAbsent(): string | undefined {
  if (existsSync(join(BUILT, 'libraries/libcudnn.so.9'))) return undefined;
  return 'no stand-in for CUDA: run test/gpu/stand-in/build.sh (it fetches 250 MB from PyPI)';
}

/** What a process needs to see a T4. */
export function standInEnvironment(log: string): Record<string, string> {
  return { LD_LIBRARY_PATH: join(BUILT, 'libraries'), STAND_IN_LOG: log, ORT_DISABLE_TELEMETRY: '1' };
}

/** The container's folder /opt/server, with the real CUDA provider. */
export function stageServer(): string {
  const server = mkdtempSync(join(tmpdir(), 'stand-in-server-'));
  run(['functions/endpoint/bundle.mjs', '--outdir', server]);
  run(['functions/endpoint/runtime-packages.mjs', '--outdir', join(server, 'node_modules')]);
  for (const name of ['cuda', 'shared']) {
    const file = `libonnxruntime_providers_${name}.so`;
    symlinkSync(join(BUILT, 'provider', file), join(server, PROVIDERS, file));
  }
  return server;
}

/** Of a node's last run, as ONNX Runtime's trace has it. */
export interface NodeWork {
  readonly operator: string;
  /** Bytes. */
  readonly activations: number;
  readonly parameters: number;
  readonly outputs: number;
  /** Extents of each. */
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShapes: readonly (readonly number[])[];
}

export interface Driven {
  readonly network: string;
  readonly outputs: readonly unknown[];
  /** Names of nodes by provider. */
  readonly nodes: Readonly<Record<string, readonly string[]>>;
  readonly work: readonly NodeWork[];
}

/**
 * Loads and runs networks on the stand-in, in a process of its own.
 *
 * @param variables on top of this process's
 * @throws Error with the last line of what the process said
 */
export function drive(
  server: string,
  folders: readonly string[],
  { runs = 3, variables = {} }: { runs?: number; variables?: Readonly<Record<string, string>> } = {},
): { log: StandInLog; driven: Driven[] } {
  const scratch = mkdtempSync(join(tmpdir(), 'stand-in-log-'));
  const path = join(scratch, 'log');
  const worker = join(server, 'session-worker.mjs');
  const args = ['test/support/run-ts.mjs', 'test/gpu/drive.ts', worker, String(runs), ...folders];
  try {
    const output = run(args, { ...standInEnvironment(path), ...variables });
    const driven = output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Driven);
    return { log: parseStandInLog(readFileSync(path, 'utf8')), driven };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return stdout;
  const said = stderr.split('\n').find((line) => /Error:/.test(line)) ?? stderr.trim().split('\n').at(-1);
  throw new Error(said ?? `ended with ${status}`);
}
