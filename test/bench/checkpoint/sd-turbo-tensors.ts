import { TAESD, TEXT_ENCODER, UNET, VAE } from './sd-turbo-configs.js';

/** Shape of every tensor of a network, by its name in diffusers or transformers. */
export type TensorShapes = Map<string, readonly number[]>;

/** Collects shapes; the methods are the layers that the four networks consist of. */
class Shapes {
  readonly found: TensorShapes = new Map();

  #add(name: string, weight: readonly number[], bias: boolean): void {
    this.found.set(`${name}.weight`, weight);
    if (bias) this.found.set(`${name}.bias`, [weight[0] ?? 0]);
  }
  table(name: string, rows: number, width: number): void {
    this.#add(name, [rows, width], false);
  }
  norm(name: string, channels: number): void {
    this.#add(name, [channels], true);
  }
  linear(name: string, from: number, to: number, bias = true): void {
    this.#add(name, [to, from], bias);
  }
  conv(name: string, from: number, to: number, size = 3, bias = true): void {
    this.#add(name, [to, from, size, size], bias);
  }

  resnet(name: string, from: number, to: number, timeChannels?: number): void {
    this.norm(`${name}.norm1`, from);
    this.conv(`${name}.conv1`, from, to);
    if (timeChannels !== undefined) this.linear(`${name}.time_emb_proj`, timeChannels, to);
    this.norm(`${name}.norm2`, to);
    this.conv(`${name}.conv2`, to, to);
    if (from !== to) this.conv(`${name}.conv_shortcut`, from, to, 1);
  }

  /** Transformer2DModel with one block and linear projections. */
  transformer(name: string, channels: number, context: number): void {
    const block = `${name}.transformer_blocks.0`;
    this.norm(`${name}.norm`, channels);
    this.linear(`${name}.proj_in`, channels, channels);
    for (const [attention, from] of [['attn1', channels] as const, ['attn2', context] as const]) {
      this.linear(`${block}.${attention}.to_q`, channels, channels, false);
      this.linear(`${block}.${attention}.to_k`, from, channels, false);
      this.linear(`${block}.${attention}.to_v`, from, channels, false);
      this.linear(`${block}.${attention}.to_out.0`, channels, channels);
    }
    for (const norm of ['norm1', 'norm2', 'norm3']) this.norm(`${block}.${norm}`, channels);
    this.linear(`${block}.ff.net.0.proj`, channels, 8 * channels);
    this.linear(`${block}.ff.net.2`, 4 * channels, channels);
    this.linear(`${name}.proj_out`, channels, channels);
  }

  /** The middle of the VAE's encoder and decoder. */
  vaeMiddle(name: string, channels: number): void {
    for (const i of [0, 1]) this.resnet(`${name}.resnets.${i}`, channels, channels);
    this.norm(`${name}.attentions.0.group_norm`, channels);
    for (const projection of ['to_q', 'to_k', 'to_v', 'to_out.0'])
      this.linear(`${name}.attentions.0.${projection}`, channels, channels);
  }
}

/** 686 tensors of UNet2DConditionModel. */
export function unetTensors(): TensorShapes {
  const s = new Shapes();
  const widths = UNET.block_out_channels;
  const first = widths[0] as number;
  const last = widths.at(-1) as number;
  const time = 4 * first;
  s.conv('conv_in', UNET.in_channels, first);
  s.linear('time_embedding.linear_1', first, time);
  s.linear('time_embedding.linear_2', time, time);

  const skips = [first];
  let channels = first;
  for (const [i, width] of widths.entries()) {
    for (let j = 0; j < UNET.layers_per_block; j++) {
      s.resnet(`down_blocks.${i}.resnets.${j}`, channels, width, time);
      if (UNET.down_block_types[i] === 'CrossAttnDownBlock2D')
        s.transformer(`down_blocks.${i}.attentions.${j}`, width, UNET.cross_attention_dim);
      channels = width;
      skips.push(width);
    }
    if (i === widths.length - 1) continue;
    s.conv(`down_blocks.${i}.downsamplers.0.conv`, width, width);
    skips.push(width);
  }

  for (const i of [0, 1]) s.resnet(`mid_block.resnets.${i}`, last, last, time);
  s.transformer('mid_block.attentions.0', last, UNET.cross_attention_dim);

  for (const [i, width] of widths.toReversed().entries()) {
    for (let j = 0; j <= UNET.layers_per_block; j++) {
      s.resnet(`up_blocks.${i}.resnets.${j}`, channels + (skips.pop() as number), width, time);
      if (UNET.up_block_types[i] === 'CrossAttnUpBlock2D')
        s.transformer(`up_blocks.${i}.attentions.${j}`, width, UNET.cross_attention_dim);
      channels = width;
    }
    if (i < widths.length - 1) s.conv(`up_blocks.${i}.upsamplers.0.conv`, width, width);
  }

  s.norm('conv_norm_out', first);
  s.conv('conv_out', first, UNET.out_channels);
  return s.found;
}

/** 248 tensors of AutoencoderKL. */
export function vaeTensors(): TensorShapes {
  const s = new Shapes();
  const widths = VAE.block_out_channels;
  const first = widths[0] as number;
  const last = widths.at(-1) as number;

  s.conv('encoder.conv_in', VAE.in_channels, first);
  let channels = first;
  for (const [i, width] of widths.entries()) {
    for (let j = 0; j < VAE.layers_per_block; j++) {
      s.resnet(`encoder.down_blocks.${i}.resnets.${j}`, channels, width);
      channels = width;
    }
    if (i < widths.length - 1) s.conv(`encoder.down_blocks.${i}.downsamplers.0.conv`, width, width);
  }
  s.vaeMiddle('encoder.mid_block', last);
  s.norm('encoder.conv_norm_out', last);
  s.conv('encoder.conv_out', last, 2 * VAE.latent_channels);
  s.conv('quant_conv', 2 * VAE.latent_channels, 2 * VAE.latent_channels, 1);

  s.conv('post_quant_conv', VAE.latent_channels, VAE.latent_channels, 1);
  s.conv('decoder.conv_in', VAE.latent_channels, last);
  s.vaeMiddle('decoder.mid_block', last);
  for (const [i, width] of widths.toReversed().entries()) {
    for (let j = 0; j <= VAE.layers_per_block; j++) {
      s.resnet(`decoder.up_blocks.${i}.resnets.${j}`, channels, width);
      channels = width;
    }
    if (i < widths.length - 1) s.conv(`decoder.up_blocks.${i}.upsamplers.0.conv`, width, width);
  }
  s.norm('decoder.conv_norm_out', first);
  s.conv('decoder.conv_out', first, VAE.out_channels);
  return s.found;
}

/** 372 tensors of CLIPTextModel, named as in SD-Turbo's file. */
export function textEncoderTensors(): TensorShapes {
  const s = new Shapes();
  const width = TEXT_ENCODER.hidden_size;
  s.table('text_model.embeddings.token_embedding', TEXT_ENCODER.vocab_size, width);
  s.table('text_model.embeddings.position_embedding', TEXT_ENCODER.max_position_embeddings, width);
  for (let i = 0; i < TEXT_ENCODER.num_hidden_layers; i++) {
    const layer = `text_model.encoder.layers.${i}`;
    s.norm(`${layer}.layer_norm1`, width);
    for (const projection of ['q_proj', 'k_proj', 'v_proj', 'out_proj'])
      s.linear(`${layer}.self_attn.${projection}`, width, width);
    s.norm(`${layer}.layer_norm2`, width);
    s.linear(`${layer}.mlp.fc1`, width, TEXT_ENCODER.intermediate_size);
    s.linear(`${layer}.mlp.fc2`, TEXT_ENCODER.intermediate_size, width);
  }
  s.norm('text_model.final_layer_norm', width);
  return s.found;
}

/** 134 tensors of AutoencoderTiny. Layers are numbered as in its `nn.Sequential`, those without weights too. */
export function taesdTensors(): TensorShapes {
  const s = new Shapes();
  const width = TAESD.decoder_block_out_channels[0] as number;
  const blocks = (name: string, from: number, count: number): void => {
    for (let i = from; i < from + count; i++)
      for (const j of [0, 2, 4]) s.conv(`${name}.${i}.conv.${j}`, width, width);
  };

  let layer = 0;
  for (const [i, count] of TAESD.num_encoder_blocks.entries()) {
    s.conv(`encoder.layers.${layer}`, i === 0 ? TAESD.in_channels : width, width, 3, i === 0);
    blocks('encoder.layers', layer + 1, count);
    layer += 1 + count;
  }
  s.conv(`encoder.layers.${layer}`, width, TAESD.latent_channels);

  s.conv('decoder.layers.0', TAESD.latent_channels, width);
  layer = 2; // 1 is the ReLU
  for (const [i, count] of TAESD.num_decoder_blocks.entries()) {
    const isLast = i === TAESD.num_decoder_blocks.length - 1;
    blocks('decoder.layers', layer, count);
    layer += isLast ? count : count + 1; // the nearest-neighbour upsampling
    s.conv(`decoder.layers.${layer}`, width, isLast ? TAESD.out_channels : width, 3, isLast);
    layer += 1;
  }
  return s.found;
}
