import type { Feed } from './run-graph.js';

/**
 * A 3x3 convolution of a map [B, C, H, W], brought to `height` x `width` before it, number by number in float64, as
 * `F.interpolate(mode='nearest')` and `nn.Conv2d` of torch define it.
 *
 * @param weights `${layer}.weight` and, where there is one, `${layer}.bias`
 */
export function convolve(
  { data, dims }: Feed,
  weights: ReadonlyMap<string, readonly number[]>,
  layer: string,
  [height, width]: readonly [height: number, width: number],
): Float64Array {
  const [batch = 0, inputs = 0, fromHeight = 0, fromWidth = 0] = dims;
  const kernel = weights.get(`${layer}.weight`) as readonly number[];
  const bias = weights.get(`${layer}.bias`);
  const channels = kernel.length / inputs / 9;
  const y = new Float64Array(batch * channels * height * width);
  for (const at of y.keys()) {
    const column = at % width;
    const row = Math.floor(at / width) % height;
    const plane = Math.floor(at / width / height);
    const [picture, channel] = [Math.floor(plane / channels), plane % channels];
    let sum = bias?.[channel] ?? 0;
    for (let tap = 0; tap < inputs * 9; tap++) {
      const input = Math.floor(tap / 9);
      const [r, c] = [row + (Math.floor(tap / 3) % 3) - 1, column + (tap % 3) - 1];
      if (r < 0 || c < 0 || r >= height || c >= width) continue;
      const [fromRow, fromColumn] = [
        Math.floor((r * fromHeight) / height),
        Math.floor((c * fromWidth) / width),
      ];
      const from = ((picture * inputs + input) * fromHeight + fromRow) * fromWidth + fromColumn;
      sum += (data[from] as number) * (kernel[channel * inputs * 9 + tap] as number);
    }
    y[at] = sum;
  }
  return y;
}
