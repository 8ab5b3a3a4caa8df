import type { Schedule } from '../schedulers/euler-discrete.js';

/** What denoising begins with where there is no picture: standard normal numbers, as large as the first sigma. */
export function latentsFrom(noise: Float32Array, { initNoiseSigma }: Schedule): Float32Array {
  return noise.map((value) => value * initNoiseSigma);
}

/** The numbers of one picture for each of several. */
export function repeatNumbers(numbers: Float32Array, times: number): Float32Array {
  const repeated = new Float32Array(times * numbers.length);
  for (let at = 0; at < repeated.length; at += numbers.length) repeated.set(numbers, at);
  return repeated;
}

/**
 * Views of the numbers of several pictures, of so many pictures each.
 *
 * @param size of one picture's latents, in numbers
 */
export function splitLatents(latents: Float32Array, images: number, size: number): Float32Array[] {
  const length = images * size;
  const count = Math.ceil(latents.length / length);
  return Array.from({ length: count }, (_, index) => latents.subarray(index * length, (index + 1) * length));
}
