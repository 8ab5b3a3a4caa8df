import type { Provider } from '../runtime/session-messages.js';

/** The most that a request asks for. */
const SEVERAL = 4;
/** Channels of a UNet's widest block up to which several pictures in one run are faster than one by one. */
const NARROW = 192;

/**
 * How many pictures one run of the UNet draws, as measured (`test/bench/batches.ts`, 2 cores of an AMD EPYC, 2026-11-23).
 *
 * CPU: of the time of one by one, four in one run take 0.80 where the widest block has 96 channels, 0.87 at 192, 0.98
 * at 384, 0.99 at 768 and at SD-Turbo's 1280, where they need 0.8 GB more. Decoders, 0.97 to 1.12 everywhere, draw
 * one by one.
 *
 * CUDA: not measured here. ONNX Runtime's convolutions keep the plan of their last shape only, and looking for another
 * takes longer than four pictures could save: 142 ms instead of 6 for a small network whose shape changes between
 * runs, with 1.29 on an H200 (https://github.com/sgl-project/sglang-omni/pull/2176). `test/gpu/run.ts` measures both.
 *
 * @param channels of the widest block
 */
export function imagesPerRun(provider: Provider, channels: number): number {
  return provider === 'cpu' && channels <= NARROW ? SEVERAL : 1;
}
