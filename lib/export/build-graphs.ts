import { encodeModel } from '../onnx/encode-model.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { Precision } from '../schemas/manifest.js';
import type { CheckpointReader } from '../weights/checkpoint-reader.js';
import type { Checkpoint, Part } from './checkpoint.js';
import type { Operators } from './dialects/operators.js';
import { StandardOperators } from './dialects/standard-operators.js';
import { CLIP_UNUSED, describeClipTextEncoder, renameClipTensor } from './networks/clip-text-encoder.js';
import { describeTaesdDecoder, TAESD_DECODER_UNUSED } from './networks/taesd-decoder.js';
import { describeUnet } from './networks/unet.js';
import { describeVaeDecoder, renameVaeTensor, VAE_DECODER_UNUSED } from './networks/vae-decoder.js';
import { type WeightScope, WeightStore } from './weight-scope.js';

/** A finished graph and the weights it points at. */
export interface ExportedPart {
  /** Folder in the bundle. */
  readonly part: 'text_encoder' | 'unet' | 'vae_decoder' | 'taesd_decoder';
  readonly model: Uint8Array;
  readonly reader: CheckpointReader;
  /** Where the reader finds `config.json` and `weightFiles`. */
  readonly source: string;
  readonly weightFiles: readonly string[];
}

/** No tensor of these parts is without use. */
const NONE_UNUSED = /$^/;

/** Describes every network of a checkpoint in the order in which a picture needs them. */
export function buildGraphs(checkpoint: Checkpoint, precision: Precision): ExportedPart[] {
  const { textEncoder, unet, vae, taesd } = checkpoint;
  const latentSize = unet.config.sample_size;
  const parts: ExportedPart[] = [
    exportPart('text_encoder', textEncoder, CLIP_UNUSED, renameClipTensor, (ops, root) =>
      describeClipTextEncoder(ops, root, textEncoder.config),
    ),
    exportPart('unet', unet, NONE_UNUSED, undefined, (ops, root) => describeUnet(ops, root, unet.config)),
    exportPart('vae_decoder', vae, VAE_DECODER_UNUSED, renameVaeTensor, (ops, root) =>
      describeVaeDecoder(ops, root, vae.config, latentSize),
    ),
  ];
  if (taesd) {
    const describe = (ops: Operators, root: WeightScope) =>
      describeTaesdDecoder(ops, root, taesd.config, latentSize);
    parts.push(exportPart('taesd_decoder', taesd, TAESD_DECODER_UNUSED, undefined, describe));
  }
  return parts;

  function exportPart(
    part: ExportedPart['part'],
    { reader, folder, weights }: Part<unknown>,
    unused: RegExp,
    rename: ((name: string) => string) | undefined,
    describe: (ops: Operators, root: WeightScope) => void,
  ): ExportedPart {
    const graph = new GraphBuilder(part);
    const store = new WeightStore(reader.nameOf(folder), weights, rename);
    describe(new StandardOperators(graph, precision), store.root());
    store.assertAllUsed(unused);
    return { part, model: encodeModel(graph.build()), reader, source: folder, weightFiles: weights.files };
  }
}
