/**
 * Which attention kernels ONNX Runtime may take on a GPU:
 *
 * - `fused`: all of them, as it does by itself. Fastest; three of them add up Q K^T in float16.
 * - `guarded`: the fused ones for short self-attention only, whose sums an import keeps small.
 * - `exact`: none that adds up in float16.
 */
export const ATTENTION_KERNELS = ['fused', 'guarded', 'exact'] as const;
export type AttentionKernels = (typeof ATTENTION_KERNELS)[number];

/** Until a T4 has been measured; Microsoft's benchmark does so for Stable Diffusion 2.1, for its black pictures. */
export const DEFAULT_ATTENTION_KERNELS: AttentionKernels = 'guarded';
