import { closeSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { taesdConfigSchema } from '../../lib/export/configs/taesd-config.js';
import { textEncoderConfigSchema } from '../../lib/export/configs/text-encoder-config.js';
import { unetConfigSchema } from '../../lib/export/configs/unet-config.js';
import { vaeConfigSchema } from '../../lib/export/configs/vae-config.js';
import { describeClipTextEncoder } from '../../lib/export/networks/clip-text-encoder.js';
import { describeTaesdDecoder } from '../../lib/export/networks/taesd-decoder.js';
import { describeUnet } from '../../lib/export/networks/unet.js';
import { describeVaeDecoder } from '../../lib/export/networks/vae-decoder.js';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import type { ElementType, ExternalData, Graph } from '../../lib/onnx/model.js';
import { halfToFloat } from '../../lib/runtime/half.js';
import { BUNDLE_VERSION, CHUNK_SIZE, type Manifest } from '../../lib/schemas/manifest.js';
import type { PictureSummary } from '../../lib/schemas/picture-summary.js';
import { SCHEDULER, TAESD, TEXT_ENCODER, UNET, VAE } from '../bench/checkpoint/sd-turbo-configs.js';
import { NormalBlocks } from '../bench/normal-blocks.js';
import { describeCuda } from '../support/graphs/make-network.js';

const VAE_HEADROOM = 1 / 16;
const LATENTS = [64, 64] as const;

/** SD-Turbo's networks, by their folders: what `describeCuda` makes of them, and their configs. */
export const NETWORKS = {
  text_encoder: {
    config: TEXT_ENCODER,
    describe: () =>
      describeCuda((ops, root) =>
        describeClipTextEncoder(ops, root, textEncoderConfigSchema.parse(TEXT_ENCODER)),
      ),
  },
  unet: {
    config: UNET,
    describe: () => describeCuda((ops, root) => describeUnet(ops, root, unetConfigSchema.parse(UNET))),
  },
  vae_decoder: {
    config: VAE,
    describe: () =>
      describeCuda((ops, root) => describeVaeDecoder(ops, root, vaeConfigSchema.parse(VAE), LATENTS), {
        headroom: VAE_HEADROOM,
      }),
  },
  taesd_decoder: {
    config: TAESD,
    describe: () =>
      describeCuda((ops, root) => describeTaesdDecoder(ops, root, taesdConfigSchema.parse(TAESD), LATENTS)),
  },
} as const;
export type NetworkFolder = keyof typeof NETWORKS;

/** No black one. */
const SOME_PICTURE: PictureSummary = { mean: 127.5, spread: 40, thumbnail: '80'.repeat(192) };

/** Deviation of the weights, as of SD-Turbo's own in order of magnitude. */
const DEVIATION = 0.03;

/** Normal numbers, by the types that weights have. */
const BLOCKS = makeBlocks();

function makeBlocks(): Partial<Record<ElementType, Uint8Array>> {
  const float16 = new NormalBlocks(1).get(0, DEVIATION);
  const bits = new Uint16Array(float16.buffer, float16.byteOffset, float16.length / 2);
  const float32 = new Uint8Array(Float32Array.from(bits, halfToFloat).buffer);
  return { float16, float32 };
}

/** Writes a graph beside random weights, a block of them over and over, each tensor from another place in it. */
export function writeRandom(folder: string, graph: Graph): void {
  writeGraph(folder, graph);
  const file = openSync(join(folder, 'weights.bin'), 'w');
  try {
    for (const { name, type, data } of graph.initializers) {
      if (data instanceof Uint8Array) continue;
      const block = BLOCKS[type];
      if (!block) throw new Error(`${name}: there are no random numbers of ${type}`);
      writeRepeated(file, block, data);
    }
  } finally {
    closeSync(file);
  }
}

/** Offsets of tensors are multiples of 4096 bytes, and so is what tells their places in the block apart. */
function writeRepeated(file: number, block: Uint8Array, { offset, length }: ExternalData): void {
  let from = offset % block.length;
  // At a whole number of either type.
  from -= from % 4;
  for (let done = 0; done < length; from = 0) {
    const piece = block.subarray(from, Math.min(block.length, from + length - done));
    done += writeSync(file, piece, 0, piece.length, offset + done);
  }
}

/** Writes another graph beside the same weights. */
export function writeBeside(folder: string, graph: Graph, weights: string): void {
  writeGraph(folder, graph);
  linkSync(join(weights, 'weights.bin'), join(folder, 'weights.bin'));
}

function writeGraph(folder: string, graph: Graph): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), encodeModel(graph));
}

/** Writes a bundle of SD-Turbo's size in the dialect `cuda`: 2.5 GB, in seconds. @returns the graphs */
export async function writeFullSizeBundle(folder: string): Promise<Readonly<Record<NetworkFolder, Graph>>> {
  const graphs: Partial<Record<NetworkFolder, Graph>> = {};
  for (const [name, { config, describe }] of Object.entries(NETWORKS)) {
    const { graph } = describe();
    writeRandom(join(folder, name), graph);
    writeFileSync(join(folder, name, 'config.json'), JSON.stringify(config));
    graphs[name as NetworkFolder] = graph;
  }
  mkdirSync(join(folder, 'scheduler'));
  writeFileSync(join(folder, 'scheduler/scheduler_config.json'), JSON.stringify(SCHEDULER));
  await cp('lib/demo-model/model/tokenizer', join(folder, 'tokenizer'), { recursive: true });
  const manifest: Manifest = {
    format: 'sd-turbo-bundle',
    version: BUNDLE_VERSION,
    dialect: 'cuda',
    precision: 'float16',
    source: { repo: 'full-size', revision: null },
    chunk_size: CHUNK_SIZE,
    self_test: { vae: SOME_PICTURE, taesd: SOME_PICTURE },
    // Where it lies already, nothing is fetched and no sum is looked at.
    files: [{ path: 'model_index.json', size: 0, sha256: '0'.repeat(64), crc32: [] }],
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return graphs as Record<NetworkFolder, Graph>;
}
