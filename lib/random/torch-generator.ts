import { AppError } from '../errors/app-error.js';
import { BLOCK, fillNormalBlock } from './fill-normal-block.js';
import { Mt19937 } from './mt19937.js';

/** 64 MiB of float32, a thousand times the latents of a 512 x 512 picture: a larger count is a mistake. */
const MAX_COUNT = 2 ** 24;

/**
 * torch's CPU generator after `manual_seed(seed)`, and `torch.randn` with it in float32: one draw after the other.
 *
 * Equal bit for bit to torch 2.13 on x86-64 with AVX2 or AVX-512. torch's plain kernel (other processors)
 * differs from its own AVX2 kernel, and so from this, by up to 2.1e-6 (2^22 numbers compared).
 *
 * torch's CPU generator uses the low 32 bits of the seed: seeds that agree there give the same numbers.
 * A tensor of any shape is one run in row-major order, and diffusers draws (n, 4, h, w) at once for n
 * pictures (`randn_tensor` with one generator).
 */
export class TorchGenerator {
  readonly #engine: Mt19937;

  /**
   * @param seed integer 0..2^53-1
   * @throws AppError INVALID_INPUT for another seed
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new AppError('INVALID_INPUT', `seed must be an integer from 0 to 2^53-1, not ${seed}`);
    }
    this.#engine = new Mt19937(seed);
  }

  /**
   * @param count how many numbers, 1..2^24
   * @throws AppError INVALID_INPUT for another count
   */
  randn(count: number): Float32Array {
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw new AppError('INVALID_INPUT', `count must be an integer from 1 to ${MAX_COUNT}, not ${count}`);
    }
    return count < BLOCK ? drawFew(count, this.#engine) : drawBlocks(count, this.#engine);
  }
}

/** torch's `normal_fill`: all uniform numbers first, then blocks of 16; a ragged end is drawn again. */
function drawBlocks(count: number, engine: Mt19937): Float32Array {
  const numbers = new Float32Array(count);
  const fillUniform = (from: number) => {
    for (let i = from; i < count; i++) numbers[i] = (engine.nextUint32() & 0xffffff) / 2 ** 24;
  };
  fillUniform(0);
  for (let start = 0; start + BLOCK <= count; start += BLOCK) fillNormalBlock(numbers, start);
  if (count % BLOCK !== 0) {
    fillUniform(count - BLOCK);
    fillNormalBlock(numbers, count - BLOCK);
  }
  return numbers;
}

/** torch's serial path for fewer than 16 numbers: Box-Muller in float64, two numbers from each pair. */
function drawFew(count: number, engine: Mt19937): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const theta = 2 * Math.PI * nextUniform53(engine);
    const radius = Math.sqrt(-2 * Math.log1p(-nextUniform53(engine)));
    numbers[i] = radius * Math.cos(theta);
    if (i + 1 < count) numbers[i + 1] = radius * Math.sin(theta);
  }
  return numbers;
}

/** The low 53 bits of two words, the first one high, as a fraction in [0, 1). */
function nextUniform53(engine: Mt19937): number {
  const high = engine.nextUint32() & 0x1fffff;
  return (high * 2 ** 32 + engine.nextUint32()) / 2 ** 53;
}
