import { expect, test } from 'vitest';
import { kernelProblems, parseKernels } from './attention-kernels.js';

/** As ONNX Runtime 1.30 writes it, in cyan. */
const line = (node: string, kernel: string, type = 'fp16') =>
  `\x1B[36mOperator=MultiHeadAttention Node=${node} DataType=${type} SdpaKernel=${kernel}\x1B[0m\n`;

const UNET = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1/MultiHeadAttention';

test('kernels are counted by network and type', () => {
  const output = [
    '/tmp/a.png\n',
    line('encoder.layers.0.self_attn/MultiHeadAttention', 'EFFICIENT_ATTENTION'),
    line(UNET, 'FLASH_ATTENTION'),
    line(UNET.replace('attn1', 'attn2'), 'FLASH_ATTENTION'),
    line('decoder.mid_block.attentions.0/MultiHeadAttention', 'MATH', 'fp32'),
  ].join('');
  const counts = parseKernels(output);
  expect(Object.fromEntries(counts)).toEqual({
    'text_encoder fp16 EFFICIENT_ATTENTION': 1,
    'unet fp16 FLASH_ATTENTION': 2,
    'vae fp32 MATH': 1,
  });
  expect(kernelProblems(counts)).toEqual(['1 x vae fp32 MATH: not fused']);
});

test('nothing is wrong where every attention is fused', () => {
  expect(kernelProblems(parseKernels(line(UNET, 'TRT_FUSED_ATTENTION')))).toEqual([]);
});

test('silence is no proof', () => {
  expect(kernelProblems(parseKernels('/tmp/a.png\n'))).toEqual(['no attention said which kernel it took']);
});
