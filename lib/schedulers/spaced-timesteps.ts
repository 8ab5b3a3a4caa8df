import type { EulerConfig } from './read-euler-config.js';

/**
 * `steps` timesteps from the noisiest down, as diffusers' `set_timesteps` spaces them; float32, between -1 and
 * num_train_timesteps - 1 + steps_offset.
 *
 * For some step counts (61 is the first, of 1000) diffusers' trailing spacing rounds to one timestep more,
 * -1; that one is left out here.
 */
export function spacedTimesteps(config: EulerConfig, steps: number): Float32Array {
  const count = config.num_train_timesteps;
  switch (config.timestep_spacing) {
    case 'linspace': {
      const gap = steps === 1 ? 0 : (count - 1) / (steps - 1);
      return fill(steps, (i) => (steps - 1 - i) * gap);
    }
    case 'leading': {
      const gap = Math.floor(count / steps);
      return fill(steps, (i) => (steps - 1 - i) * gap + config.steps_offset);
    }
    case 'trailing': {
      // numpy.arange multiplies the difference of its first two values.
      const gap = count - (count - count / steps);
      return fill(steps, (i) => roundHalfToEven(count - i * gap) - 1);
    }
  }
}

function fill(steps: number, timestep: (i: number) => number): Float32Array {
  return Float32Array.from({ length: steps }, (_, i) => timestep(i));
}

function roundHalfToEven(value: number): number {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
