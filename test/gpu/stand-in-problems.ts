import type { AttentionKernels } from '../../lib/schemas/attention-kernels.js';
import type { NetworkFolder } from './full-size-bundle.js';
import type { Driven } from './stand-in.js';
import type { Phase, StandInLog } from './stand-in-log.js';

/** Kernels of attention, by what their names say. */
const ATTENTION: readonly (readonly [RegExp, string])[] = [
  [/^fmha_v2_flash_attention_fp16/, 'flash'],
  [/^fmha_v2_fp16/, 'fused'],
  [/^fmha_mhca_fp16/, 'fused cross'],
  // Adds up in float32.
  [/attention_kernel_batched_impl.*AttentionKernel/, 'cutlass'],
];

/** 1 as two halves. */
const SCALE_ONE = '3c003c00';

/** Tokens of the image at the UNet's transformers, in the order in which they run. */
const UNET_TOKENS = [4096, 4096, 1024, 1024, 256, 256, 64, 256, 256, 256, 1024, 1024, 1024, 4096, 4096, 4096];

/**
 * Copies of a run besides its inputs and outputs, of 8 bytes each: the pointers of one product, that of the UNet's latents
 * with the identity, whose matrices cuBLAS takes by a list.
 */
const OTHER_COPIES: Readonly<Record<NetworkFolder, number>> = {
  text_encoder: 0,
  unet: 3,
  vae_decoder: 0,
  taesd_decoder: 0,
};

/** Of the device, by all networks together. */
const MOST_BYTES = 6e9;

/** The kernel that each attention of a network should take, in order. */
export function expectedAttention(network: NetworkFolder, kernels: AttentionKernels): string[] {
  switch (network) {
    case 'text_encoder':
      return Array(23).fill('cutlass');
    case 'vae_decoder':
      return ['cutlass'];
    case 'taesd_decoder':
      return [];
    case 'unet':
      return UNET_TOKENS.flatMap((tokens) => {
        if (kernels === 'exact') return ['cutlass', 'cutlass'];
        const long = kernels === 'fused' ? 'flash' : 'cutlass';
        return [tokens > 512 ? long : 'fused', kernels === 'fused' ? 'fused cross' : 'cutlass'];
      });
  }
}

/** The kernels that attention took, in order, with the scale of those that were told one. */
export function attentionOf({ kernels }: Phase): { kind: string; scale: string | undefined }[] {
  return kernels.flatMap(({ name, scale }) => {
    const kind = ATTENTION.find(([pattern]) => pattern.test(name))?.[1];
    return kind === undefined ? [] : [{ kind, scale }];
  });
}

/** What is not as it should be with a network on a T4; nothing where all is well. */
export function standInProblems(
  { network, outputs, nodes }: Driven,
  { phases, peaks }: StandInLog,
  { kernels, inputs }: { kernels: AttentionKernels; inputs: number },
): string[] {
  const problems: string[] = [];
  const folder = network as NetworkFolder;
  for (const [provider, names] of Object.entries(nodes))
    if (provider !== 'CUDAExecutionProvider')
      problems.push(`${names.length} nodes on the ${provider}: ${names.slice(0, 3).join(', ')}`);

  // The third run is the first one of a request: two have warmed up.
  const run = phases.get(`${network} 3`);
  if (!run) return [...problems, 'it was not run three times'];
  problems.push(...run.problems);
  const attention = attentionOf(run);
  const wanted = expectedAttention(folder, kernels);
  if (attention.map(({ kind }) => kind).join() !== wanted.join())
    problems.push(`attention: ${count(attention.map(({ kind }) => kind))}, not ${count(wanted)}`);
  for (const { kind, scale } of attention)
    if ((kind === 'fused' || kind === 'flash') && scale !== SCALE_ONE)
      problems.push(`attention: ${kind} scales its sums by ${scale}, not by 1 (${SCALE_ONE})`);
  const inexact = run.products.filter(({ exact }) => !exact);
  if (inexact.length > 0) problems.push(`${inexact.length} products add up in float16`);

  const copies = run.toDevice.length + run.toHost.length;
  const allowed = inputs + outputs.length + OTHER_COPIES[folder];
  if (copies > allowed) problems.push(`${copies} copies in a run, more than ${allowed}`);
  if (run.allocations.length > 0)
    problems.push(`the third run allocates ${run.allocations.join(', ')} bytes`);
  const peak = Math.max(0, ...peaks.values());
  if (peak > MOST_BYTES) problems.push(`${peak} bytes of the device are in use, more than ${MOST_BYTES}`);
  return [...new Set(problems)];
}

function count(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, times]) => `${times} x ${name}`).join(', ') || 'none';
}
