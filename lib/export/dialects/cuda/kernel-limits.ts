/**
 * What ONNX Runtime's CUDA kernels for com.microsoft take. Where one does not fit, the dialect says the same with
 * operators that take everything. Source: onnxruntime/contrib_ops/cuda in microsoft/onnxruntime, file by file below;
 * the messages with which the kernels refuse were read in the provider of onnxruntime-gpu 1.30.0 as well.
 */

/** diffusion/bias_split_gelu.cc checks the last dimension; 1.30 takes 6144 and 12288 too, older releases do not. */
const BIAS_SPLIT_GELU_WIDTHS: readonly number[] = [2560, 5120, 10240];

/** diffusion/bias_add.cc of the releases that have a limit; 1.30 has a slower kernel for any other. */
const BIAS_ADD_CHANNELS: readonly number[] = [320, 640, 1280];

/** diffusion/group_norm_common_base.h: the last of kSizes, and CHANNELS_PER_THREAD. */
const GROUP_NORM_MOST_CHANNELS = 512;
const GROUP_NORM_CHANNELS_PER_THREAD = 2;

/**
 * The fused kernels read 8 halves at once (cutlass_fmha/memory_efficient_attention.h), and test_mha.py tries packed
 * inputs with no other head sizes than multiples of it.
 */
const HEAD_SIZE_STEP = 8;

/** @param width before the split */
export function takesBiasSplitGelu(width: number): boolean {
  return BIAS_SPLIT_GELU_WIDTHS.includes(width);
}

export function takesBiasAdd(channels: number): boolean {
  return BIAS_ADD_CHANNELS.includes(channels);
}

/** LaunchGroupNormKernel in diffusion/group_norm_impl.cu; of GroupNorm and SkipGroupNorm. */
export function takesGroupNorm(channels: number, groups: number): boolean {
  const perGroup = channels / groups;
  return perGroup % GROUP_NORM_CHANNELS_PER_THREAD === 0 && perGroup <= GROUP_NORM_MOST_CHANNELS;
}

/** Whether a MultiHeadAttention may have its inputs in one tensor. */
export function takesPackedHeads(headSize: number): boolean {
  return headSize % HEAD_SIZE_STEP === 0;
}

/**
 * core/providers/cuda/nn/conv.cc hands the zeros of both sides to cuDNN, which does not promise a kernel for different
 * ones.
 */
export function takesPadding([top, left, bottom, right]: readonly [number, number, number, number]): boolean {
  return top === bottom && left === right;
}
