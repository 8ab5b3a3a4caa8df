/**
 * Writes a checkpoint with the files, names, shapes and sizes of `stabilityai/sd-turbo` and random
 * float16 weights: enough for timing, where the real one cannot be had.
 *
 *   node test/support/run-ts.mjs test/bench/checkpoint/make-checkpoint.ts --to DIR [--tokenizer DIR] [--taesd DIR] [--seed N]
 *
 * `--tokenizer` is a folder with vocab.json and merges.txt, by default that of ../shared/reference;
 * `--taesd` also writes an AutoencoderTiny as in `madebyollin/taesd`. Run it from the repository root.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { NormalBlocks } from '../normal-blocks.js';
import { MODEL_INDEX, SCHEDULER, TAESD, TEXT_ENCODER, UNET, VAE } from './sd-turbo-configs.js';
import {
  type TensorShapes,
  taesdTensors,
  textEncoderTensors,
  unetTensors,
  vaeTensors,
} from './sd-turbo-tensors.js';
import { writeRandomSafetensors } from './write-random-safetensors.js';

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

const { values } = parseArgs({
  options: {
    to: { type: 'string' },
    tokenizer: { type: 'string', default: '../shared/reference/tokenizer' },
    taesd: { type: 'string' },
    seed: { type: 'string', default: '0' },
  },
});
const { to, tokenizer, taesd } = values;
const seed = Number(values.seed);
if (to === undefined || !Number.isSafeInteger(seed)) {
  console.error('usage: make-checkpoint.ts --to DIR [--tokenizer DIR] [--taesd DIR] [--seed INTEGER]');
  process.exit(2);
}

const blocks = new NormalBlocks(seed);
async function writePart(folder: string, config: unknown, file: string, shapes: TensorShapes): Promise<void> {
  const path = join(folder, file);
  await writeJson(join(folder, 'config.json'), config);
  await writeRandomSafetensors({ path, shapes, seed, blocks });
  console.error(`${path}: ${shapes.size} tensors`);
}

const started = performance.now();
await writeJson(join(to, 'model_index.json'), MODEL_INDEX);
await writeJson(join(to, 'scheduler/scheduler_config.json'), SCHEDULER);
await rm(join(to, 'tokenizer'), { recursive: true, force: true });
await cp(tokenizer, join(to, 'tokenizer'), { recursive: true });
await writePart(join(to, 'text_encoder'), TEXT_ENCODER, 'model.fp16.safetensors', textEncoderTensors());
await writePart(join(to, 'unet'), UNET, 'diffusion_pytorch_model.fp16.safetensors', unetTensors());
await writePart(join(to, 'vae'), VAE, 'diffusion_pytorch_model.fp16.safetensors', vaeTensors());
if (taesd !== undefined) await writePart(taesd, TAESD, 'diffusion_pytorch_model.safetensors', taesdTensors());
console.error(`written in ${((performance.now() - started) / 1000).toFixed(1)} s`);
