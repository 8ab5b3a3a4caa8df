import type { TimestepOptions } from '../operators.js';
import { timestepFrequencies } from '../timestep-frequencies.js';
import type { CudaGraph } from './cuda-graph.js';

/** Sinusoidal features, [B, channels] in float32: angles reach 999, where float16 has steps of half a radian. */
export function timestepFeatures(
  graph: CudaGraph,
  scope: string,
  name: string,
  options: TimestepOptions,
): string {
  const { channels, flipSinToCos, frequencyShift } = options;
  const timestep = graph.builder.input(name, 'float32', ['batch']);
  const column = graph.reshape(scope, timestep, [-1, 1]);
  const frequencies = timestepFrequencies(channels, frequencyShift);
  const row = graph.builder.floats(frequencies, [1, frequencies.length]);
  const angles = graph.node(scope, 'Mul', [column, row]);
  const [sine, cosine] = [graph.node(scope, 'Sin', [angles]), graph.node(scope, 'Cos', [angles])];
  const waves = flipSinToCos ? [cosine, sine] : [sine, cosine];
  // As diffusers: an odd width ends in a zero.
  if (channels % 2 === 1) waves.push(graph.node(scope, 'Mul', [column, graph.builder.floats([0], [1, 1])]));
  return graph.node(scope, 'Concat', waves, { axis: { int: 1 } });
}
