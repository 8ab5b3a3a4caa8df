import { join } from 'node:path/posix';
import { encodeModel } from '../onnx/encode-model.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { Dialect, Precision } from '../schemas/manifest.js';
import type { ChunkCheck } from '../weights/bytes/chunk-check.js';
import { checkNumbers } from '../weights/checkpoint/check-numbers.js';
import { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import type { PartWeights } from '../weights/checkpoint/open-part.js';
import type { Checkpoint, Part } from './checkpoint.js';
import { CudaOperators } from './dialects/cuda/cuda-operators.js';
import type { Operators } from './dialects/operators.js';
import { StandardOperators } from './dialects/standard-operators.js';
import { CLIP_UNUSED, describeClipTextEncoder, renameClipTensor } from './networks/clip-text-encoder.js';
import { describeTaesdDecoder, TAESD_DECODER_UNUSED } from './networks/taesd-decoder.js';
import { describeUnet } from './networks/unet.js';
import { renameVaeTensor } from './networks/vae-blocks.js';
import { describeVaeDecoder, VAE_DECODER_UNUSED } from './networks/vae-decoder.js';
import { describeVaeEncoder, VAE_ENCODER_UNUSED } from './networks/vae-encoder.js';
import { RewrittenWeights } from './rewrite/rewritten-weights.js';
import { WeightPlan } from './rewrite/weight-plan.js';
import { type WeightScope, WeightStore } from './weight-scope.js';

/** Beside each graph of the dialect `cuda`. */
const REWRITTEN_WEIGHTS = 'weights.bin';
/** Beside those graphs of the dialect `standard` that have sums of weights. */
const SUMMED_WEIGHTS = 'summed.bin';

/**
 * Autoencoders of this family add up residuals that nothing bounds before the end: some checkpoints leave float16 and
 * decode to black (diffusers has `force_upcast`, Stable Diffusion's web interface `--no-half-vae` for them). With
 * numbers 16 times smaller there is room for 2^20, and what is lost are those below 10^-3 of a stream that the next
 * normalisation brings to 1.
 */
const VAE_HEADROOM = 1 / 16;

/** The longest that a timer can wait. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** A finished graph and the weights it points at. */
export interface ExportedPart {
  /** Folder in the bundle. */
  readonly part: 'text_encoder' | 'unet' | 'vae_decoder' | 'taesd_decoder' | 'vae_encoder';
  readonly model: Uint8Array;
  readonly reader: CheckpointReader;
  /** Where the reader finds `config.json`. */
  readonly source: string;
  readonly weights: readonly WeightsFile[];
}

export interface WeightsFile {
  /** Beside the graph. */
  readonly name: string;
  readonly reader: CheckpointReader;
  /** In the reader's source. */
  readonly from: string;
  /** Of what is copied as it is. @default it is made here, number by number */
  readonly check?: ChunkCheck;
}

export interface GraphOptions {
  readonly dialect: Dialect;
  /** Of the arithmetic. */
  readonly precision: Precision;
  /** Whether the VAE's encoder is there too, for pictures that begin with one. */
  readonly encoder: boolean;
}

/** No tensor of these parts is without use. */
const NONE_UNUSED = /$^/;

/** Describes every network of a checkpoint in the order in which a picture needs them. */
export function buildGraphs(checkpoint: Checkpoint, options: GraphOptions): ExportedPart[] {
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
  if (options.encoder) {
    const describe = (ops: Operators, root: WeightScope) =>
      describeVaeEncoder(ops, root, vae.config, latentSize);
    parts.push(exportPart('vae_encoder', vae, VAE_ENCODER_UNUSED, renameVaeTensor, describe));
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
    const { operators, plan } = makeDialect(part, graph, options);
    describe(operators, store.root());
    store.assertAllUsed(unused);
    const copied = options.dialect === 'standard' ? weights.files : [];
    const files = [
      ...copied.map((name) => copiedFile(name, weights, reader, folder)),
      ...(plan && plan.size > 0 ? [rewrittenFile(plan, reader, folder)] : []),
    ];
    return { part, model: encodeModel(graph.build()), reader, source: folder, weights: files };
  }
}

/** With a plan where weights may have to be rewritten. */
function makeDialect(
  part: ExportedPart['part'],
  graph: GraphBuilder,
  { dialect, precision }: GraphOptions,
): { readonly operators: Operators; readonly plan?: WeightPlan } {
  if (dialect === 'standard') {
    // One convolution follows the other there, all in ONNX Runtime's blocked layout, which interleaving leaves: measured,
    // that takes what the sums save.
    if (part === 'taesd_decoder') return { operators: new StandardOperators(graph, { precision }) };
    const plan = new WeightPlan(SUMMED_WEIGHTS);
    return { operators: new StandardOperators(graph, { precision, plan }), plan };
  }
  const plan = new WeightPlan(REWRITTEN_WEIGHTS);
  const headroom = part === 'vae_decoder' || part === 'vae_encoder' ? VAE_HEADROOM : 1;
  return { operators: new CudaOperators(graph, plan, { headroom }), plan };
}

function copiedFile(
  name: string,
  { tensors }: PartWeights,
  reader: CheckpointReader,
  folder: string,
): WeightsFile {
  const from = join(folder, name);
  const held = [...tensors.values()].filter(({ file }) => file === name);
  return { name, reader, from, check: checkNumbers(held, reader, from) };
}

function rewrittenFile(plan: WeightPlan, reader: CheckpointReader, folder: string): WeightsFile {
  const source = new RewrittenWeights({ plan, reader, folder });
  // The reader of the stored weights tries again, and knows when they stall.
  const policy = { retries: 0, stallTimeoutMs: LONGEST_TIMEOUT_MS };
  return { name: plan.file, reader: new CheckpointReader(source, policy), from: plan.file };
}
