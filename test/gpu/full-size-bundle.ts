import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
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
import type { Graph } from '../../lib/onnx/model.js';
import { BUNDLE_VERSION, CHUNK_SIZE, type Manifest } from '../../lib/schemas/manifest.js';
import { SCHEDULER, TAESD, TEXT_ENCODER, UNET, VAE } from '../bench/checkpoint/sd-turbo-configs.js';
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

/** Writes a graph beside a weights file that is one hole: nobody computes with it. */
export function writeHollow(folder: string, graph: Graph, weightBytes: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), encodeModel(graph));
  writeFileSync(join(folder, 'weights.bin'), '');
  truncateSync(join(folder, 'weights.bin'), weightBytes);
}

/** Writes a bundle of SD-Turbo's size in the dialect `cuda` that takes no room on the disk. @returns the graphs */
export async function writeFullSizeBundle(folder: string): Promise<Readonly<Record<NetworkFolder, Graph>>> {
  const graphs: Partial<Record<NetworkFolder, Graph>> = {};
  for (const [name, { config, describe }] of Object.entries(NETWORKS)) {
    const { graph, plan } = describe();
    writeHollow(join(folder, name), graph, plan.size);
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
    // Where it lies already, nothing is fetched and no sum is looked at.
    files: [{ path: 'model_index.json', size: 0, sha256: '0'.repeat(64), crc32: [] }],
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return graphs as Record<NetworkFolder, Graph>;
}
