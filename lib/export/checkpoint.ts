import { join } from 'node:path/posix';
import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { EulerDiscreteScheduler } from '../schedulers/euler-discrete.js';
import { assertFits } from '../tokenizer/assert-fits.js';
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { quoteName } from '../weights/bytes/quote-name.js';
import type { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { openPart, type PartWeights, type WeightsStem } from '../weights/checkpoint/open-part.js';
import { readConfig } from './configs/read-config.js';
import { type TaesdConfig, taesdConfigSchema } from './configs/taesd-config.js';
import { type TextEncoderConfig, textEncoderConfigSchema } from './configs/text-encoder-config.js';
import { type UnetConfig, unetConfigSchema } from './configs/unet-config.js';
import { type VaeConfig, vaeConfigSchema } from './configs/vae-config.js';
import { openTokenizerFiles } from './tokenizer-files.js';

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

const SINGLE_FILE = /\.(?:safetensors|ckpt)$/;

/** One network of a checkpoint: its config and where its tensors lie. */
export interface Part<C> {
  readonly reader: CheckpointReader;
  /** Within the reader's source; '' is its top. */
  readonly folder: string;
  readonly config: C;
  readonly weights: PartWeights;
}

export interface Checkpoint {
  readonly reader: CheckpointReader;
  readonly tokenizer: ClipTokenizer;
  readonly textEncoder: Part<TextEncoderConfig>;
  readonly unet: Part<UnetConfig>;
  readonly vae: Part<VaeConfig>;
  readonly taesd: Part<TaesdConfig> | undefined;
}

/**
 * Opens a Stable Diffusion checkpoint in diffusers layout. Reads configs and headers, no weights.
 *
 * @param taesd an AutoencoderTiny for the same latents
 * @throws AppError INVALID_FILE or UNSUPPORTED, naming part, key and value
 */
export async function openCheckpoint(
  reader: CheckpointReader,
  taesd?: CheckpointReader,
): Promise<Checkpoint> {
  await refuseSingleFile(reader);
  await readConfig(reader, 'model_index.json', modelIndexSchema);
  const scheduler = await readConfig(reader, SCHEDULER_CONFIG, z.unknown());
  EulerDiscreteScheduler.fromConfig(scheduler, reader.nameOf(SCHEDULER_CONFIG));
  const checkpoint: Checkpoint = {
    reader,
    tokenizer: await ClipTokenizer.load(await openTokenizerFiles(reader)),
    textEncoder: await openNetwork(reader, 'text_encoder', textEncoderConfigSchema, 'model'),
    unet: await openNetwork(reader, 'unet', unetConfigSchema, 'diffusion_pytorch_model'),
    vae: await openNetwork(reader, 'vae', vaeConfigSchema, 'diffusion_pytorch_model'),
    taesd: taesd && (await openNetwork(taesd, '', taesdConfigSchema, 'diffusion_pytorch_model')),
  };
  checkFit(checkpoint);
  return checkpoint;
}

/** Many checkpoints are one file, in the layout of the original code, which is another. */
async function refuseSingleFile(reader: CheckpointReader): Promise<void> {
  const present = await reader.list('');
  const file = [...present].find((name) => SINGLE_FILE.test(name));
  if (present.has('model_index.json') || file === undefined) return;
  const how = 'StableDiffusionPipeline.from_single_file(FILE).save_pretrained(FOLDER) of diffusers';
  throw new AppError(
    'UNSUPPORTED',
    `${reader.nameOf('')} has no model_index.json, but ${quoteName(file)}: where that is a whole checkpoint, convert it with ${how}`,
  );
}

async function openNetwork<S extends z.ZodType>(
  reader: CheckpointReader,
  folder: string,
  schema: S,
  stem: WeightsStem,
): Promise<Part<z.infer<S>>> {
  return {
    reader,
    folder,
    config: await readConfig(reader, join(folder, 'config.json'), schema),
    weights: await openPart(reader, folder, stem),
  };
}

/** The parts are read apart; here they must fit together. */
function checkFit({ tokenizer, textEncoder, unet, vae, taesd }: Checkpoint): void {
  const latents = vae.config.latent_channels;
  const taesdLatents = taesd?.config.latent_channels ?? latents;
  assertFits(tokenizer, textEncoder.config, 'text_encoder');
  const fits: readonly (readonly [string, number, string, number])[] = [
    [
      'tokenizer model_max_length',
      tokenizer.maxLength,
      'text_encoder max_position_embeddings',
      textEncoder.config.max_position_embeddings,
    ],
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
