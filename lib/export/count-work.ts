import { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../weights/checkpoint/directory-checkpoint.js';
import { readConfig } from './configs/read-config.js';
import { taesdConfigSchema } from './configs/taesd-config.js';
import { textEncoderConfigSchema } from './configs/text-encoder-config.js';
import { unetConfigSchema } from './configs/unet-config.js';
import { vaeConfigSchema } from './configs/vae-config.js';
import type { Operators } from './dialects/operators.js';
import { type OperatorWork, WorkOperators } from './dialects/work-operators.js';
import { describeClipTextEncoder } from './networks/clip-text-encoder.js';
import { describeTaesdDecoder } from './networks/taesd-decoder.js';
import { describeUnet } from './networks/unet.js';
import { describeVaeDecoder } from './networks/vae-decoder.js';
import { type WeightScope, WeightStore } from './weight-scope.js';

/** By phase of a picture; the UNet's is that of one step. */
export interface PictureWork {
  readonly text_encoder: readonly OperatorWork[];
  readonly unet: readonly OperatorWork[];
  readonly decoder: readonly OperatorWork[];
}

/**
 * What one picture of a bundle asks of a machine, counted from the bundle's configs: those of other exporters'
 * bundles serve as well.
 *
 * @param decoder folder of the decoder in the bundle
 * @throws AppError INVALID_FILE or UNSUPPORTED for a config that no checkpoint of the family has
 */
export async function countWork(
  bundle: string,
  decoder: 'vae_decoder' | 'taesd_decoder',
): Promise<PictureWork> {
  const reader = new CheckpointReader(new DirectoryCheckpoint(bundle));
  const textEncoder = await readConfig(reader, 'text_encoder/config.json', textEncoderConfigSchema);
  const unet = await readConfig(reader, 'unet/config.json', unetConfigSchema);
  const describeDecoder =
    decoder === 'vae_decoder'
      ? await readConfig(reader, 'vae_decoder/config.json', vaeConfigSchema).then(
          (config) => (ops: Operators, root: WeightScope) =>
            describeVaeDecoder(ops, root, config, unet.sample_size),
        )
      : await readConfig(reader, 'taesd_decoder/config.json', taesdConfigSchema).then(
          (config) => (ops: Operators, root: WeightScope) =>
            describeTaesdDecoder(ops, root, config, unet.sample_size),
        );
  return {
    text_encoder: workOf((ops, root) => describeClipTextEncoder(ops, root, textEncoder)),
    unet: workOf((ops, root) => describeUnet(ops, root, unet)),
    decoder: workOf(describeDecoder),
  };
}

/** Floating-point operations of matrix products. */
export function flops(work: readonly OperatorWork[]): number {
  return 2 * work.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
}

function workOf(describe: (ops: Operators, root: WeightScope) => void): OperatorWork[] {
  const ops = new WorkOperators();
  describe(ops, new WeightStore('', { files: [], tensors: new Map() }).root());
  return ops.work;
}
