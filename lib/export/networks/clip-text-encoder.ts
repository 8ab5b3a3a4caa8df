import type { TextEncoderConfig } from '../configs/text-encoder-config.js';
import type { Operators, Rows } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';

/** Tensors of a CLIPTextModel file that its hidden states have no use for. */
export const CLIP_UNUSED = /^(embeddings\.position_ids|text_projection\.weight)$/;

/** Older transformers saved every name below `text_model.`, transformers 5 saves them without. */
export function renameClipTensor(name: string): string {
  return name.replace(/^text_model\./, '');
}

/**
 * CLIPTextModel without its pooler: input_ids int32 [B, S] -> last_hidden_state float32 [B, S, hidden].
 * Source: transformers 5, models/clip/modeling_clip.py.
 */
export function describeClipTextEncoder(ops: Operators, root: WeightScope, config: TextEncoderConfig): void {
  const { vocab_size, max_position_embeddings: length, hidden_size: width, layer_norm_eps } = config;
  let hidden = ops.embedTokens(root.child('embeddings'), 'input_ids', {
    vocabulary: vocab_size,
    length,
    width,
  });
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    hidden = encoderLayer(ops, root.child('encoder.layers', layer), hidden, config);
  }
  hidden = ops.layerNorm(root.child('final_layer_norm'), hidden, layer_norm_eps);
  ops.outputRows('last_hidden_state', length, hidden);
}

function encoderLayer(ops: Operators, scope: WeightScope, input: Rows, config: TextEncoderConfig): Rows {
  const { hidden_size: width, layer_norm_eps } = config;
  const attended = selfAttention(
    ops,
    scope.child('self_attn'),
    ops.layerNorm(scope.child('layer_norm1'), input, layer_norm_eps),
    config,
  );
  const middle = ops.add(scope.child('self_attn'), input, attended);

  const mlp = scope.child('mlp');
  const normed = ops.layerNorm(scope.child('layer_norm2'), middle, layer_norm_eps);
  const wide = ops.linear(mlp.child('fc1'), normed, config.intermediate_size);
  const narrow = ops.linear(mlp.child('fc2'), ops.activate(mlp, wide, config.hidden_act), width);
  return ops.add(mlp, middle, narrow);
}

function selfAttention(ops: Operators, scope: WeightScope, x: Rows, config: TextEncoderConfig): Rows {
  const attended = ops.attention(scope, {
    query: { scope: scope.child('q_proj'), input: x },
    key: { scope: scope.child('k_proj'), input: x },
    value: { scope: scope.child('v_proj'), input: x },
    heads: config.num_attention_heads,
    causal: true,
  });
  return ops.linear(scope.child('out_proj'), attended, config.hidden_size);
}
