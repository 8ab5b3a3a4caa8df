import { type AttentionKernels, DEFAULT_ATTENTION_KERNELS } from '../schemas/attention-kernels.js';

type Variables = Record<string, string | undefined>;

/**
 * What ONNX Runtime reads with `getenv` when a session has its first attention (contrib_ops/cuda/bert/
 * attention_kernel_options.cc): 1 turns kernels off. The fused kernel for cross-attention takes 1/sqrt(head size) for
 * the scale whatever the graph says, and adds up in float16.
 */
const VARIABLES: Readonly<Record<AttentionKernels, Readonly<Record<string, '0' | '1'>>>> = {
  fused: variables('0', '0', '0'),
  guarded: variables('0', '1', '1'),
  exact: variables('1', '1', '1'),
};

function variables(selfAttention: '0' | '1', flashAttention: '0' | '1', crossAttention: '0' | '1') {
  return {
    ORT_DISABLE_FUSED_ATTENTION: selfAttention,
    ORT_DISABLE_TRT_FLASH_ATTENTION: flashAttention,
    ORT_DISABLE_FUSED_CROSS_ATTENTION: crossAttention,
  };
}

/**
 * Says which kernels the sessions may take that are loaded from now on.
 *
 * @param environment of the main thread: what a worker thread sets in its own copy never reaches `getenv`
 * @param kernels undefined leaves what is set there, and sets the rest to what is usual
 */
export function setAttentionKernels(environment: Variables, kernels: AttentionKernels | undefined): void {
  for (const [name, value] of Object.entries(VARIABLES[kernels ?? DEFAULT_ATTENTION_KERNELS])) {
    if (kernels === undefined) environment[name] ??= value;
    else environment[name] = value;
  }
}

/** How exactly sessions compute that are loaded from now on, for a process that may have to change its mind. */
export interface Exactness {
  /** As exactly as can be. */
  useSafer(): void;
  /** As it was at first. */
  useUsual(): void;
}

/** @returns undefined where what is set is as exact as can be */
export function attentionExactness(environment: Variables): Exactness | undefined {
  const usual = Object.fromEntries(Object.keys(VARIABLES.exact).map((name) => [name, environment[name]]));
  if (Object.entries(VARIABLES.exact).every(([name, value]) => usual[name] === value)) return undefined;
  return {
    useSafer: () => setAttentionKernels(environment, 'exact'),
    useUsual: () => Object.assign(environment, usual),
  };
}
