/**
 * What a field is called: here on the wire, here in programs, by OpenAI, and elsewhere. Source: diffusers'
 * StableDiffusionPipeline, the schemas of Replicate, Hugging Face's inference, Stability's, fal's and AUTOMATIC1111's APIs.
 */
const SAME: readonly (readonly string[])[] = [
  ['prompt', 'inputs', 'text', 'prompts', 'text_prompt', 'text_prompts', 'caption', 'query', 'messages'],
  [
    ...['num_steps', 'steps', 'num_inference_steps', 'inference_steps', 'sampling_steps', 'sample_steps'],
    ...['n_steps', 'denoising_steps', 'ddim_steps', 'iterations'],
  ],
  ['seed', 'random_seed', 'noise_seed', 'manual_seed', 'generator'],
  [
    ...['num_images', 'n', 'num_outputs', 'num_images_per_prompt', 'batch_size', 'samples', 'num_samples'],
    ...['n_samples', 'n_iter', 'number_of_images', 'image_count', 'count'],
  ],
  ['output_format', 'format', 'image_format', 'file_format', 'output_type', 'mime_type'],
  ['image', 'init_image', 'init_images', 'image_url', 'input_image', 'source_image', 'start_image'],
  ['strength', 'denoising_strength', 'prompt_strength', 'image_strength'],
  ['webhook', 'webhook_url', 'webhook_endpoint', 'callback', 'callback_url'],
  ['decoder', 'vae'],
];

const NO_GUIDANCE = 'SD-Turbo has none: it was trained to draw without guidance';
const ONE_SIZE = 'pictures have the size that the model has';
const ONE_SCHEDULER = "there is one scheduler, Euler's";
const ONE_MODEL = 'there is one model';
const UNFILTERED = 'nothing is filtered';
const WRAPPED = 'its fields, such as prompt, go into the body itself here';
const PREFERRED = 'goes beside the body here: as the header Prefer: wait=10, or as ?wait=10';

/** What there is nothing like, and why. */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  [NO_GUIDANCE]: [
    ...['negative_prompt', 'negative_prompts', 'guidance_scale', 'guidance', 'cfg', 'cfg_scale'],
    ...['true_cfg_scale', 'guidance_rescale', 'clip_skip'],
  ],
  [ONE_SIZE]: ['width', 'height', 'size', 'image_size', 'resolution', 'dimensions', 'aspect_ratio'],
  [ONE_SCHEDULER]: ['scheduler', 'sampler', 'sampler_name', 'sampler_index', 'eta'],
  [ONE_MODEL]: ['model', 'model_id', 'model_name', 'version', 'checkpoint', 'lora', 'lora_scale'],
  [UNFILTERED]: ['safety_checker', 'disable_safety_checker', 'enable_safety_checker', 'moderation'],
  // Replicate, Baseten, Vertex and Hugging Face in this order; then what people write around JSON.
  [WRAPPED]: [
    'input',
    'model_input',
    'instances',
    'parameters',
    'params',
    'data',
    'body',
    'payload',
    'request',
  ],
  [PREFERRED]: ['wait', 'prefer', 'sync_mode'],
};

const GROUPS = new Map(SAME.flatMap((names) => names.map((name) => [plain(name), names] as const)));
const REASONS = new Map(
  Object.entries(ABSENT).flatMap(([reason, names]) => names.map((name) => [plain(name), reason] as const)),
);

/** A name as it is in every style: `num_steps`, `numSteps`, `num-steps` and `NUM_STEPS` are one. */
export function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_\s-]/g, '');
}

/** All that a field is called which somebody somewhere calls so; empty where nobody is known to. */
export function namesOf(name: string): readonly string[] {
  return GROUPS.get(plain(name)) ?? [];
}

/** Why there is no such field; undefined for one that nobody is known to have. */
export function reasonAgainst(name: string): string | undefined {
  return REASONS.get(plain(name));
}
