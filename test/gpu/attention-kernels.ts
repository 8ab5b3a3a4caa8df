import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** How often each kernel was taken, by network: `unet FLASH_ATTENTION` and the like. */
export type KernelCounts = ReadonlyMap<string, number>;

/**
 * A line of ONNX Runtime 1.30's AttentionKernelDebugInfo::Print, which
 * `ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO=1` asks for (contrib_ops/cuda/bert/attention_kernel_options.cc).
 */
const LINE = /Operator=(\S+) (?:Node=(.*?) )?DataType=(\w+) SdpaKernel=([A-Z_]+)/g;

/** The unfused one: scores as a matrix in memory. */
export const UNFUSED = 'MATH';

/** Names of nodes begin with the layer's place in its network. */
const NETWORKS: readonly (readonly [RegExp, string])[] = [
  [/^(down_blocks|up_blocks|mid_block)\./, 'unet'],
  [/^encoder\.layers\./, 'text_encoder'],
  [/^decoder\./, 'vae'],
];

/** @param output what a process wrote to stdout while it drew one picture */
export function parseKernels(output: string): KernelCounts {
  const counts = new Map<string, number>();
  for (const [, , node = '', type, kernel] of output.matchAll(LINE)) {
    const network = NETWORKS.find(([place]) => place.test(node))?.[1] ?? 'elsewhere';
    const key = `${network} ${type} ${kernel}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** What is wrong with the kernels that were taken; nothing when every attention is fused. */
export function kernelProblems(counts: KernelCounts): string[] {
  if (counts.size === 0) return ['no attention said which kernel it took'];
  return [...counts.keys()]
    .filter((key) => key.endsWith(` ${UNFUSED}`))
    .map((key) => `${counts.get(key)} x ${key}: not fused`);
}

/** Draws one picture in a process of its own, on the GPU. */
export function askKernels(bundle: string): KernelCounts {
  const args = ['generate', 'a tree', '--seed', '1', '--model', bundle, '--provider', 'cuda'];
  const out = join(bundle, '..', 'kernels.png');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['lib/cli/sd-turbo.mjs', ...args, '--out', out],
    { encoding: 'utf8', env: { ...process.env, ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO: '1' } },
  );
  if (status !== 0) throw new Error(`generate failed: ${stderr.trim().split('\n').at(-1)}`);
  return parseKernels(stdout);
}
