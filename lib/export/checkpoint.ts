import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import { EulerDiscreteScheduler } from '../schedulers/euler-discrete.js';
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { openPart, type PartWeights } from '../weights/open-part.js';
import { readConfig } from './configs/read-config.js';
import { type TaesdConfig, taesdConfigSchema } from './configs/taesd-config.js';
import { type TextEncoderConfig, textEncoderConfigSchema } from './configs/text-encoder-config.js';
import { type UnetConfig, unetConfigSchema } from './configs/unet-config.js';
import { type VaeConfig, vaeConfigSchema } from './configs/vae-config.js';

const classOf = (library: string, name: string) => z.tuple([z.literal(library), z.literal(name)]);

/** `model_index.json` of the family: which class each part has. */
const modelIndexSchema = z.object({
  _class_name: z.enum(['StableDiffusionPipeline', 'StableDiffusionImg2ImgPipeline']),
  text_encoder: classOf('transformers', 'CLIPTextModel'),
  tokenizer: z.tuple([z.literal('transformers'), z.enum(['CLIPTokenizer', 'CLIPTokenizerFast'])]),
  unet: classOf('diffusers', 'UNet2DConditionModel'),
  vae: classOf('diffusers', 'AutoencoderKL'),
  scheduler: classOf('diffusers', 'EulerDiscreteScheduler'),
});

const SCHEDULER_CONFIG = 'scheduler/scheduler_config.json';

/** One network of a checkpoint: its folder, its config and where its tensors lie. */
export interface Part<C> {
  readonly folder: string;
  readonly config: C;
  readonly weights: PartWeights;
}

export interface Checkpoint {
  readonly folder: string;
  readonly name: string;
  readonly tokenizer: ClipTokenizer;
  readonly textEncoder: Part<TextEncoderConfig>;
  readonly unet: Part<UnetConfig>;
  readonly vae: Part<VaeConfig>;
  readonly taesd: Part<TaesdConfig> | undefined;
}

/**
 * Opens a Stable Diffusion checkpoint in diffusers layout. Reads configs and headers, no weights.
 *
 * @param taesdFolder of an AutoencoderTiny for the same latents
 * @throws AppError INVALID_FILE or UNSUPPORTED, naming part, key and value
 */
export async function openCheckpoint(folder: string, taesdFolder?: string): Promise<Checkpoint> {
  await readConfig(folder, 'model_index.json', modelIndexSchema);
  const scheduler = await readConfig(folder, SCHEDULER_CONFIG, z.unknown());
  EulerDiscreteScheduler.fromConfig(scheduler, join(folder, SCHEDULER_CONFIG));
  const part = async <S extends z.ZodType>(
    name: string,
    schema: S,
    stem: Parameters<typeof openPart>[1],
  ): Promise<Part<z.infer<S>>> => ({
    folder: join(folder, name),
    config: await readConfig(folder, `${name}/config.json`, schema),
    weights: await openPart(join(folder, name), stem),
  });
  const checkpoint: Checkpoint = {
    folder,
    name: basename(resolve(folder)),
    tokenizer: await ClipTokenizer.load(join(folder, 'tokenizer')),
    textEncoder: await part('text_encoder', textEncoderConfigSchema, 'model'),
    unet: await part('unet', unetConfigSchema, 'diffusion_pytorch_model'),
    vae: await part('vae', vaeConfigSchema, 'diffusion_pytorch_model'),
    taesd: taesdFolder === undefined ? undefined : await openTaesd(taesdFolder),
  };
  checkFit(checkpoint);
  return checkpoint;
}

async function openTaesd(folder: string): Promise<Part<TaesdConfig>> {
  return {
    folder,
    config: await readConfig(folder, 'config.json', taesdConfigSchema),
    weights: await openPart(folder, 'diffusion_pytorch_model'),
  };
}

/** The parts are read apart; here they must fit together. */
function checkFit({ tokenizer, textEncoder, unet, vae, taesd }: Checkpoint): void {
  const latents = vae.config.latent_channels;
  const taesdLatents = taesd?.config.latent_channels ?? latents;
  const { vocab_size: vocabulary, max_position_embeddings: positions } = textEncoder.config;
  // Begin, end and padding, which CLIP's vocabulary has last.
  const special = Math.max(...tokenizer.encode('').inputIds);
  if (special >= vocabulary) {
    const message = `the tokenizer gives id ${special}, but text_encoder vocab_size is ${vocabulary}`;
    throw new AppError('UNSUPPORTED', `${message}: the parts do not fit`);
  }
  const fits: readonly (readonly [string, number, string, number])[] = [
    ['tokenizer model_max_length', tokenizer.maxLength, 'text_encoder max_position_embeddings', positions],
    [
      'unet cross_attention_dim',
      unet.config.text_width,
      'text_encoder hidden_size',
      textEncoder.config.hidden_size,
    ],
    ['unet in_channels', unet.config.in_channels, 'vae latent_channels', latents],
    ['unet out_channels', unet.config.out_channels, 'vae latent_channels', latents],
    ['taesd latent_channels', taesdLatents, 'vae latent_channels', latents],
  ];
  for (const [left, a, right, b] of fits) {
    if (a !== b)
      throw new AppError('UNSUPPORTED', `${left} is ${a}, but ${right} is ${b}: the parts do not fit`);
  }
}
