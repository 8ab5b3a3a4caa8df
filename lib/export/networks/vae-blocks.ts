import type { VaeConfig } from '../configs/vae-config.js';
import type { FeatureMap, Operators } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';
import { resnetBlock } from './resnet-block.js';

/** Of every normalisation in the VAE. Source: diffusers 0.42, models/autoencoders/vae.py. */
const EPSILON = 1e-6;

/** Names of attention weights before diffusers 0.18, brought to today's. */
export function renameVaeTensor(name: string): string {
  return name.replace(
    /(\.attentions\.\d+\.)(query|key|value|proj_attn)\./,
    (_, place: string, old: string) => {
      const today = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' }[old];
      return `${place}${today}.`;
    },
  );
}

export function vaeMidBlock(
  ops: Operators,
  scope: WeightScope,
  input: FeatureMap,
  config: VaeConfig,
): FeatureMap {
  let hidden = vaeResnet(ops, scope.child('resnets.0'), input, input.channels, config);
  if (config.mid_block_add_attention) hidden = vaeAttention(ops, scope.child('attentions.0'), hidden, config);
  return vaeResnet(ops, scope.child('resnets.1'), hidden, input.channels, config);
}

export function vaeResnet(
  ops: Operators,
  scope: WeightScope,
  x: FeatureMap,
  channels: number,
  config: VaeConfig,
): FeatureMap {
  const { norm_num_groups: groups, act_fn: activation } = config;
  return resnetBlock(ops, scope, x, { channels, groups, activation, epsilon: EPSILON });
}

/** @param activation applied to the normalised values. @default none */
export function vaeNorm(
  ops: Operators,
  scope: WeightScope,
  x: FeatureMap,
  config: VaeConfig,
  activation?: 'silu',
): FeatureMap {
  const norm = { groups: config.norm_num_groups, epsilon: EPSILON };
  return ops.groupNorm(scope, x, { ...norm, ...(activation && { activation }) });
}

/** One head over all channels, with biases and a residual. */
export function vaeAttention(
  ops: Operators,
  scope: WeightScope,
  input: FeatureMap,
  config: VaeConfig,
): FeatureMap {
  const { channels, height, width } = input;
  const rows = ops.toRows(scope, vaeNorm(ops, scope.child('group_norm'), input, config));
  const attended = ops.attention(scope, {
    query: { scope: scope.child('to_q'), input: rows },
    key: { scope: scope.child('to_k'), input: rows },
    value: { scope: scope.child('to_v'), input: rows },
    heads: 1,
  });
  const output = ops.linear(scope.child('to_out.0'), attended, channels);
  return ops.add(scope, ops.toMap(scope, output, height, width), input);
}
