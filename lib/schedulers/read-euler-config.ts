import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { showValue } from '../errors/show-value.js';

/** A hundred times what any published checkpoint was trained with; bounds the tables made from the file. */
const MAX_TRAIN_TIMESTEPS = 100_000;

const beta = z.number().gt(0).lt(1);

/** null, or a switch that is off: the keys of diffusers' other ways to choose sigmas. */
const off = z.literal([false, null]).optional();
const unset = z.literal(null).optional();

/**
 * scheduler_config.json of diffusers' EulerDiscreteScheduler, with its defaults (diffusers 0.42.1). Other
 * keys are legal there and change nothing here.
 */
const eulerConfigSchema = z
  .object({
    num_train_timesteps: z.int().min(2).max(MAX_TRAIN_TIMESTEPS).default(1000),
    beta_start: beta.default(0.0001),
    beta_end: beta.default(0.02),
    beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
    trained_betas: z.array(beta).max(MAX_TRAIN_TIMESTEPS).nullable().default(null),
    prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon'),
    interpolation_type: z.literal('linear').default('linear'),
    use_karras_sigmas: off,
    use_exponential_sigmas: off,
    use_beta_sigmas: off,
    sigma_min: unset,
    sigma_max: unset,
    timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).default('linspace'),
    timestep_type: z.literal('discrete').default('discrete'),
    steps_offset: z.int().min(0).max(MAX_TRAIN_TIMESTEPS).default(0),
    rescale_betas_zero_snr: z.boolean().default(false),
    final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  })
  .refine(
    ({ trained_betas, num_train_timesteps }) =>
      (trained_betas?.length ?? num_train_timesteps) === num_train_timesteps,
    { error: 'trained_betas must have num_train_timesteps entries' },
  );

export type EulerConfig = z.infer<typeof eulerConfigSchema>;

const SCHEDULER = 'EulerDiscreteScheduler';
const classSchema = z.object({ _class_name: z.string().max(200).default(SCHEDULER) });

/**
 * @param json the parsed scheduler_config.json
 * @param source the file's name, for messages
 * @throws AppError UNSUPPORTED for another scheduler, or for a setting of this one that is not implemented;
 *   INVALID_FILE for a value that no scheduler can have
 */
export function readEulerConfig(json: unknown, source: string): EulerConfig {
  const { _class_name } = check(classSchema, json, source);
  if (_class_name !== SCHEDULER) {
    throw new AppError(
      'UNSUPPORTED',
      `${source}: scheduler ${JSON.stringify(_class_name)} is not supported, only ${SCHEDULER} is; save the checkpoint with it`,
    );
  }
  return check(eulerConfigSchema, json, source);
}

function check<T>(schema: z.ZodType<T>, json: unknown, source: string): T {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const key = issue.path.join('.');
  if (key === '') throw new AppError('INVALID_FILE', `${source}: ${issue.message}`);
  const value = showValue(issue.input);
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map((choice) => JSON.stringify(choice)).join(' or ');
    throw new AppError('UNSUPPORTED', `${source}: ${key} ${value} is not supported, only ${allowed}`);
  }
  throw new AppError('INVALID_FILE', `${source}: ${key} is ${value}: ${issue.message}`);
}
