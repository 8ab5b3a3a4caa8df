import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EulerDiscreteScheduler } from '../../lib/schedulers/euler-discrete.js';
import { readEulerConfig } from '../../lib/schedulers/read-euler-config.js';
import { trainingSigmas } from '../../lib/schedulers/training-sigmas.js';
import golden from '../fixtures/schedulers/euler-discrete.json' with { type: 'json' };
import { float32Tensor, readSafetensors } from '../support/graphs/read-safetensors.js';

const REFERENCE = fileURLToPath(new URL('../../../shared/reference/', import.meta.url));
const hasReference = existsSync(REFERENCE);
if (!hasReference) console.log(`euler-discrete: ${REFERENCE} is absent, its latents are not compared`);

/** |actual - expected| in units of the last place of float32; both of one sign. */
function ulps(actual: number, expected: number): number {
  const bits = new Int32Array(Float32Array.of(actual, expected).buffer);
  return Math.abs((bits[0] as number) - (bits[1] as number));
}

/** The largest difference, as a part of the largest expected number. */
function deviation(actual: Float32Array, expected: ArrayLike<number>): number {
  expect(actual).toHaveLength(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(actual, (value, i) => Math.abs(value - (expected[i] as number)))) / scale;
}

describe('EulerDiscreteScheduler, against diffusers 0.42.1 (make_euler_discrete.py)', () => {
  it.each(golden.cases)(
    '$steps steps of $config',
    ({ config, steps, timesteps, sigmas, initNoiseSigma, at }) => {
      const scheduler = EulerDiscreteScheduler.fromConfig(config, 'scheduler_config.json');
      const schedule = scheduler.schedule(steps);
      expect(schedule.timesteps).toEqual(Float32Array.from(timesteps));
      expect(schedule.sigmas).toHaveLength(steps + 1);
      schedule.sigmas.forEach((sigma, i) => {
        expect(ulps(sigma, sigmas[i] as number)).toBeLessThanOrEqual(1);
      });
      expect(ulps(schedule.initNoiseSigma, initNoiseSigma)).toBeLessThanOrEqual(1);
      for (const { step, latents, scaled, output, after } of at) {
        const before = Float32Array.from(latents);
        expect(deviation(scheduler.scaleModelInput(before, schedule, step), scaled)).toBeLessThan(1e-6);
        const result = scheduler.step(Float32Array.from(output), before, schedule, step);
        expect(deviation(result, after)).toBeLessThan(1e-6);
        expect(before).toEqual(Float32Array.from(latents));
      }
    },
  );

  it.each(golden.exact)('$steps steps of $config, bit for bit', (golden) => {
    const scheduler = EulerDiscreteScheduler.fromConfig(golden.config, 'scheduler_config.json');
    const schedule = scheduler.schedule(golden.steps);
    expect(schedule.timesteps).toEqual(Float32Array.from(golden.timesteps));
    expect(schedule.sigmas).toEqual(Float32Array.from(golden.sigmas));
    expect(schedule.initNoiseSigma).toBe(Math.fround(golden.initNoiseSigma));
    for (const { step, latents, scaled, output, after } of golden.at) {
      const before = Float32Array.from(latents);
      expect(scheduler.scaleModelInput(before, schedule, step)).toEqual(Float32Array.from(scaled));
      const result = scheduler.step(Float32Array.from(output), before, schedule, step);
      expect(result).toEqual(Float32Array.from(after));
    }
  });

  it.each(golden.tables)('all training noise levels of $config', ({ config, sha256 }) => {
    const sigmas = trainingSigmas(readEulerConfig(config, 'scheduler_config.json'));
    expect(createHash('sha256').update(new Uint8Array(sigmas.buffer)).digest('hex')).toBe(sha256);
  });
});

describe.skipIf(!hasReference)('EulerDiscreteScheduler, against the reference pipelines', () => {
  it.each(['tiny-turbo', 'tiny-v1'])('%s: schedule and latents of every step', (name) => {
    const file = `${REFERENCE}checkpoints/${name}/scheduler/scheduler_config.json`;
    const scheduler = EulerDiscreteScheduler.fromConfig(JSON.parse(readFileSync(file, 'utf8')), file);
    const tensors = readSafetensors(`${REFERENCE}expected/${name}/tensors.safetensors`);
    const get = (tensor: string) => float32Tensor(tensors, tensor);

    const timesteps = get('timesteps');
    const schedule = scheduler.schedule(timesteps.length);
    expect(schedule.timesteps).toEqual(timesteps);
    expect(schedule.sigmas).toEqual(get('sigmas'));
    let latents: Float32Array = get('noise').map((value) => value * schedule.initNoiseSigma);
    for (let step = 0; step < timesteps.length; step++) {
      const input = scheduler.scaleModelInput(latents, schedule, step);
      expect(deviation(input, get(`step${step}.model_input`))).toBeLessThan(1e-6);
      latents = scheduler.step(get(`step${step}.model_output`), latents, schedule, step);
      expect(deviation(latents, get(`step${step}.latents`))).toBeLessThan(1e-6);
    }
  });
});
