import { AppError } from '../errors/app-error.js';
import { type EulerConfig, readEulerConfig } from './read-euler-config.js';
import { spacedTimesteps } from './spaced-timesteps.js';
import { trainingSigmas } from './training-sigmas.js';

const round = Math.fround;

export interface Schedule {
  /** What the UNet is told at each step, from the noisiest down; length steps. */
  readonly timesteps: Float32Array;
  /** Noise levels, before each step and after the last; length steps + 1. */
  readonly sigmas: Float32Array;
  /** What standard normal noise is multiplied by to become the first latents. */
  readonly initNoiseSigma: number;
}

/**
 * Euler's method on the noise levels of a diffusion model: diffusers' EulerDiscreteScheduler without churn
 * (Karras et al. 2022, algorithm 2 with S_churn 0). Holds no state but its settings; float32 as there.
 */
export class EulerDiscreteScheduler {
  readonly #config: EulerConfig;
  readonly #trainingSigmas: Float32Array;

  private constructor(config: EulerConfig, sigmas: Float32Array) {
    this.#config = config;
    this.#trainingSigmas = sigmas;
  }

  /**
   * @param json the parsed scheduler_config.json
   * @param source the file's name, for messages
   * @throws AppError UNSUPPORTED for another scheduler, or for a setting of this one that is not implemented;
   *   INVALID_FILE for a value that no scheduler can have
   */
  static fromConfig(json: unknown, source: string): EulerDiscreteScheduler {
    const config = readEulerConfig(json, source);
    const sigmas = trainingSigmas(config);
    if (!sigmas.every((sigma) => sigma > 0 && sigma < Number.POSITIVE_INFINITY)) {
      throw new AppError(
        'INVALID_FILE',
        `${source}: the betas give noise levels that are zero or not finite`,
      );
    }
    return new EulerDiscreteScheduler(config, sigmas);
  }

  /**
   * @param steps integer 1..num_train_timesteps
   * @throws AppError INVALID_INPUT for another number
   */
  schedule(steps: number): Schedule {
    const { num_train_timesteps, timestep_spacing, final_sigmas_type } = this.#config;
    if (!Number.isInteger(steps) || steps < 1 || steps > num_train_timesteps) {
      throw new AppError(
        'INVALID_INPUT',
        `steps must be an integer from 1 to ${num_train_timesteps}, not ${steps}`,
      );
    }
    const timesteps = spacedTimesteps(this.#config, steps);
    const sigmas = new Float32Array(steps + 1);
    timesteps.forEach((timestep, i) => {
      sigmas[i] = interpolate(this.#trainingSigmas, timestep);
    });
    sigmas[steps] = final_sigmas_type === 'zero' ? 0 : (this.#trainingSigmas[0] as number);
    const most = sigmas.reduce((a, b) => Math.max(a, b));
    const initNoiseSigma = timestep_spacing === 'leading' ? rootOfSquarePlusOne(most) : most;
    return { timesteps, sigmas, initNoiseSigma };
  }

  /** Latents with the noise of a schedule's first step on them. A new array. */
  addNoise(latents: Float32Array, noise: Float32Array, schedule: Schedule): Float32Array {
    const [sigma] = sigmasAt(schedule, 0);
    return latents.map((value, i) => value + round((noise[i] as number) * sigma));
  }

  /** The latents as the UNet wants them at a step (0-based): divided by sqrt(sigma^2 + 1). A new array. */
  scaleModelInput(latents: Float32Array, schedule: Schedule, step: number): Float32Array {
    const [sigma] = sigmasAt(schedule, step);
    const divisor = rootOfSquarePlusOne(sigma);
    return latents.map((value) => value / divisor);
  }

  /**
   * One step towards the picture.
   *
   * @param modelOutput what the UNet made of `scaleModelInput(latents, schedule, step)`, of the same length
   * @param latents the latents before the step, unscaled
   * @param step 0-based
   * @returns the latents after it, a new array
   */
  step(modelOutput: Float32Array, latents: Float32Array, schedule: Schedule, step: number): Float32Array {
    if (modelOutput.length !== latents.length) {
      throw new AppError(
        'INTERNAL',
        `model output has ${modelOutput.length} numbers, latents ${latents.length}`,
      );
    }
    const [sigma, next] = sigmasAt(schedule, step);
    const change = round(next - sigma);
    const denoise = this.#denoiser(sigma);
    return latents.map((value, i) => {
      const derivative = round(round(value - denoise(modelOutput[i] as number, value)) / sigma);
      return value + round(derivative * change);
    });
  }

  /** How the finished latent is predicted from the model's output and the present latent. */
  #denoiser(sigma: number): (output: number, latent: number) => number {
    switch (this.#config.prediction_type) {
      case 'epsilon':
        return (output, latent) => round(latent - round(sigma * output));
      case 'sample':
        return (output) => output;
      case 'v_prediction': {
        const squarePlusOne = round(round(sigma * sigma) + 1);
        const factor = round(-sigma / round(Math.sqrt(squarePlusOne)));
        return (output, latent) => round(round(output * factor) + round(latent / squarePlusOne));
      }
    }
  }
}

function sigmasAt(schedule: Schedule, step: number): [sigma: number, next: number] {
  const sigma = schedule.sigmas[step];
  const next = schedule.sigmas[step + 1];
  if (sigma === undefined || next === undefined) {
    throw new AppError(
      'INTERNAL',
      `step ${step} is outside a schedule of ${schedule.timesteps.length} steps`,
    );
  }
  return [sigma, next];
}

function rootOfSquarePlusOne(sigma: number): number {
  return round(Math.sqrt(round(round(sigma * sigma) + 1)));
}

/** numpy.interp over the indices of `table`: float64, constant outside. */
function interpolate(table: Float32Array, position: number): number {
  const clamped = Math.min(Math.max(position, 0), table.length - 1);
  const index = Math.floor(clamped);
  const low = table[index] as number;
  const high = table[index + 1] ?? low;
  return (high - low) * (clamped - index) + low;
}
