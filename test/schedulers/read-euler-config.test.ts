import { describe, expect, it } from 'vitest';
import { EulerDiscreteScheduler } from '../../lib/schedulers/euler-discrete.js';

const FILE = 'scheduler/scheduler_config.json';

function refusal(config: unknown): unknown {
  try {
    EulerDiscreteScheduler.fromConfig(config, FILE);
  } catch (error) {
    return error;
  }
  throw new Error(`${JSON.stringify(config)} was accepted`);
}

describe('scheduler_config.json', () => {
  it('may hold keys that mean nothing here, and switches that are off', () => {
    const config = { _class_name: 'EulerDiscreteScheduler', clip_sample: false, set_alpha_to_one: false };
    const off = { use_karras_sigmas: null, use_beta_sigmas: false, sigma_min: null, trained_betas: null };
    const plain = EulerDiscreteScheduler.fromConfig({}, FILE).schedule(2);
    expect(EulerDiscreteScheduler.fromConfig({ ...config, ...off }, FILE).schedule(2)).toEqual(plain);
  });

  it.each(['PNDMScheduler', 'DDIMScheduler', 'EulerAncestralDiscreteScheduler'])(
    'of a %s is refused',
    (name) => {
      const message = expect.stringMatching(new RegExp(`^${FILE}: scheduler "${name}" is not supported`));
      expect(refusal({ _class_name: name, beta_schedule: 'strange' })).toMatchObject({
        code: 'UNSUPPORTED',
        message,
      });
    },
  );

  it.each([
    ['beta_schedule', 'exp'],
    ['prediction_type', 'flow_prediction'],
    ['interpolation_type', 'log_linear'],
    ['use_karras_sigmas', true],
    ['use_exponential_sigmas', true],
    ['use_beta_sigmas', true],
    ['sigma_min', 0.03],
    ['sigma_max', 80],
    ['timestep_spacing', 'even'],
    ['timestep_type', 'continuous'],
    ['final_sigmas_type', 'max'],
  ])('with %s %j is refused as unsupported', (key, value) => {
    const start = `${FILE}: ${key} ${JSON.stringify(value)} is not supported, only `;
    const error = refusal({ [key]: value });
    expect(error).toMatchObject({ code: 'UNSUPPORTED' });
    expect(String((error as Error).message).startsWith(start)).toBe(true);
  });

  it.each([
    ['num_train_timesteps', 1e9],
    ['num_train_timesteps', 0],
    ['beta_start', 'small'],
    ['beta_end', 1],
    ['steps_offset', -1],
    ['trained_betas', [0.1, 0.2]],
    ['rescale_betas_zero_snr', 'yes'],
  ])('with %s %j is refused as wrong', (key, value) => {
    const message = expect.stringContaining(`${FILE}: ${key} `);
    expect(refusal({ [key]: value })).toMatchObject({ code: 'INVALID_FILE', message });
  });

  it('is refused where its betas leave no signal', () => {
    expect(refusal({ beta_start: 0.9, beta_end: 0.9 })).toMatchObject({ code: 'INVALID_FILE' });
  });

  it.each([null, [], 'text'])('of %j is refused', (json) => {
    expect(refusal(json)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining(FILE) });
  });

  it.each([0, 1.5, 1001, Number.NaN])('does not give a schedule of %s steps', (steps) => {
    const scheduler = EulerDiscreteScheduler.fromConfig({}, FILE);
    expect(() => scheduler.schedule(steps)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('does not step outside its schedule', () => {
    const scheduler = EulerDiscreteScheduler.fromConfig({}, FILE);
    const schedule = scheduler.schedule(2);
    const latents = new Float32Array(4);
    expect(() => scheduler.step(latents, latents, schedule, 2)).toThrow(/step 2 is outside a schedule of 2/);
    expect(() => scheduler.step(new Float32Array(3), latents, schedule, 0)).toThrow(/3 numbers, latents 4/);
  });
});
