import { describe, expect, test } from 'vitest';
import { setAttentionKernels } from '../../lib/runtime/attention-kernels.js';
import type { AttentionKernels } from '../../lib/schemas/attention-kernels.js';

type Variables = Record<string, string | undefined>;

function set(kernels: AttentionKernels | undefined, before: Variables = {}): (string | undefined)[] {
  const environment = { ...before };
  setAttentionKernels(environment, kernels);
  return ['FUSED', 'TRT_FLASH', 'FUSED_CROSS'].map((name) => environment[`ORT_DISABLE_${name}_ATTENTION`]);
}

describe('which attention kernels may be taken', () => {
  test('not those that leave float16 first, where nothing is said', () => {
    expect(set(undefined)).toEqual(['0', '1', '1']);
    expect(set('guarded')).toEqual(['0', '1', '1']);
  });

  test('all of them, or none that adds up in float16', () => {
    const image = { ORT_DISABLE_TRT_FLASH_ATTENTION: '1', ORT_DISABLE_FUSED_CROSS_ATTENTION: '1' };
    expect(set('fused', image)).toEqual(['0', '0', '0']);
    expect(set('exact', image)).toEqual(['1', '1', '1']);
  });

  test("ONNX Runtime's own variables count where nothing else is said", () => {
    const own = { ORT_DISABLE_FUSED_ATTENTION: '1', ORT_DISABLE_TRT_FLASH_ATTENTION: '0' };
    expect(set(undefined, own)).toEqual(['1', '0', '1']);
  });
});
