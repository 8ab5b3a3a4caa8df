import type { Activation } from '../operators.js';
import type { CudaGraph } from './cuda-graph.js';

/** One node each, but for Mish, for which there is no CUDA kernel (docs/OperatorKernels.md). */
export function activation(graph: CudaGraph, scope: string, x: string, kind: Activation): string {
  const quickGelu = (alpha: number) => graph.contrib(scope, 'QuickGelu', [x], { alpha: { float: alpha } });
  const kinds: Record<Activation, () => string> = {
    // QuickGelu is x * sigmoid(alpha x): SiLU in one pass.
    silu: () => quickGelu(1),
    quick_gelu: () => quickGelu(1.702),
    gelu: () => graph.node(scope, 'Gelu', [x]),
    relu: () => graph.node(scope, 'Relu', [x]),
    mish: () =>
      graph.node(scope, 'Mul', [x, graph.node(scope, 'Tanh', [graph.node(scope, 'Softplus', [x])])]),
  };
  return kinds[kind]();
}
